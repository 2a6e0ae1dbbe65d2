package dev.fovea.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import scala.collection.Seq;

/**
 * 100 000 sentences in local mode, and by the library with as many threads: the same bits; prints sentences per second of
 * both, in turn. {@code -Dfovea.spark.sentences=100000} runs it, once, and fewer than 20 000 three times.
 */
@EnabledIfSystemProperty(named = "fovea.spark.sentences", matches = "\\d+")
class ThroughputTest {
    private static final int THREADS = 2;
    private static final int ROUNDS = Integer.getInteger("fovea.spark.sentences", 0) < 20_000 ? 3 : 1;

    @Test
    void shouldEmbedAsFastAsTheLibrary() throws Exception {
        List<String> texts = Sessions.sentences(Integer.getInteger("fovea.spark.sentences"));
        var options = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        try (SparkSession spark = Sessions.of("local[" + THREADS + "]");
                TextEncoder encoder = TextEncoder.load("all-minilm-l6-v2", options);
                ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            Dataset<Row> table = Sessions.table(spark, texts, 4 * THREADS).cache();
            table.count();
            var embedder = new FoveaEmbedder().setModel("all-minilm-l6-v2").setOutputCol("vector");
            spark.udf().register("digest", (UDF1<Seq<Float>, Integer>) ThroughputTest::digest, DataTypes.IntegerType);
            embedder.transform(table.limit(2000)).selectExpr("digest(vector)").collectAsList(); // warms up
            byLibrary(encoder, texts.subList(0, 2000), threads);
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                List<Row> rows = embedder.transform(table).selectExpr("text", "digest(vector)").collectAsList();
                long middle = System.nanoTime();
                List<float[]> vectors = byLibrary(encoder, texts, threads);
                long end = System.nanoTime();
                System.out.printf("sentences per second: Spark %.0f, library %.0f%n", texts.size() * 1e9 / (middle - start),
                        texts.size() * 1e9 / (end - middle));
                assertEquals(texts.size(), rows.size());
                Map<String, Integer> digests = new HashMap<>();
                for (int i = 0; i < texts.size(); i++) {
                    digests.put(texts.get(i), Arrays.hashCode(vectors.get(i)));
                }
                for (Row row : rows) {
                    assertEquals(digests.get(row.getString(0)), row.getInt(1), row.getString(0));
                }
            }
            assertEquals(1, SharedModels.count());
        }
    }

    /** {@link Arrays#hashCode(float[])} of all components: other bits give another one, but for one case in four billion. */
    private static int digest(Seq<Float> vector) {
        int digest = 1;
        for (var each = vector.iterator(); each.hasNext();) {
            digest = 31 * digest + Float.floatToIntBits(each.next());
        }
        return digest;
    }

    private static List<float[]> byLibrary(TextEncoder encoder, List<String> texts, ExecutorService threads) throws Exception {
        int part = 512;
        List<Future<float[][]>> parts = threads.invokeAll(IntStream.range(0, (texts.size() + part - 1) / part)
                .<java.util.concurrent.Callable<float[][]>>mapToObj(i -> () ->
                        encoder.encodeAll(texts.subList(i * part, Math.min(texts.size(), (i + 1) * part)))).toList());
        return parts.stream().flatMap(each -> List.of(each.resultNow()).stream()).toList();
    }
}
