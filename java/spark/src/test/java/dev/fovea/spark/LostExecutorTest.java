package dev.fovea.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.model.TextEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** A cluster of two workers in processes of their own; one executor dies in the middle, and the job ends right. */
class LostExecutorTest {
    @Test
    void shouldEndRightWithoutAnExecutor() throws Exception {
        // A worker takes this for an installation; executors have the class path of this test.
        Path home = Path.of(System.getenv("SPARK_HOME"));
        Files.createDirectories(home.resolve("jars"));
        Files.writeString(home.resolve("RELEASE"), "");
        List<String> texts = Sessions.sentences(400);
        Map<String, float[]> vectors = new HashMap<>();
        try (SparkSession spark = Sessions.of("local-cluster[2,1,1024]", Map.of(
                "spark.executor.extraClassPath", System.getProperty("java.class.path"),
                "spark.executor.extraJavaOptions", "-Dfovea.cache=" + Path.of(System.getProperty("fovea.cache")).toAbsolutePath()))) {
            Dataset<Row> table = Sessions.table(spark, texts, 8);
            var embedder = new FoveaEmbedder().setModel("all-minilm-l6-v2");
            MapPartitionsFunction<Row, Row> dying = rows -> {
                TaskContext task = TaskContext.get();
                if (task.partitionId() == 3 && task.attemptNumber() == 0 && task.stageAttemptNumber() == 0) {
                    Runtime.getRuntime().halt(1);
                }
                return rows;
            };
            for (Row row : embedder.transform(table).mapPartitions(dying, Encoders.row(
                    embedder.transformSchema(table.schema()))).collectAsList()) {
                List<Float> vector = row.getList(1);
                float[] values = new float[vector.size()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = vector.get(i);
                }
                vectors.put(row.getString(0), values);
            }
        }
        assertEquals(texts.stream().distinct().count(), vectors.size());
        try (var encoder = TextEncoder.load("all-minilm-l6-v2")) {
            for (String text : texts) {
                assertArrayEquals(encoder.encode(text), vectors.get(text), text);
            }
        }
    }
}
