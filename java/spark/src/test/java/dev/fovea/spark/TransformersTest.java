package dev.fovea.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.Reranker;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEncoder;
import dev.fovea.testing.ToyClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In local mode: columns that the library gives for the same texts, to the bit. */
class TransformersTest {
    private static final String MINI_LM = "all-minilm-l6-v2";

    private static SparkSession spark;

    @TempDir
    private Path directory;

    @BeforeAll
    static void open() {
        spark = Sessions.of("local[2]");
    }

    @AfterAll
    static void close() {
        spark.stop();
    }

    private static FoveaEmbedder miniLm() {
        return new FoveaEmbedder().setModel(MINI_LM).setInputCol("text").setOutputCol("vector");
    }

    private static Map<String, float[]> vectors(Dataset<Row> table) {
        Map<String, float[]> vectors = new HashMap<>();
        for (Row row : table.collectAsList()) {
            vectors.put(row.getAs("text"), floats(row.getList(row.fieldIndex("vector"))));
        }
        return vectors;
    }

    private static float[] floats(List<Float> boxed) {
        float[] values = new float[boxed.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = boxed.get(i);
        }
        return values;
    }

    private static String messageOf(Throwable e) {
        var all = new StringBuilder();
        for (Throwable each = e; each != null; each = each.getCause()) {
            all.append(each.getMessage()).append('\n');
        }
        return all.toString();
    }

    @Test
    void shouldEmbedLikeTheLibrary() throws IOException {
        List<String> texts = Sessions.sentences(1500);
        int before = SharedModels.count();
        Map<String, float[]> vectors = vectors(miniLm().transform(Sessions.table(spark, texts, 5)));
        assertTrue(SharedModels.count() <= before + 1, "one model in this JVM");
        try (var encoder = TextEncoder.load(MINI_LM)) {
            float[][] expected = encoder.encodeAll(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(expected[i], vectors.get(texts.get(i)), texts.get(i));
            }
        }
    }

    @Test
    void shouldEmbedInSqlAndLeaveNulls() throws IOException {
        spark.udf().register("embed", miniLm().function());
        Sessions.table(spark, Arrays.asList("a text", null, ""), 1).createOrReplaceTempView("texts");
        Map<String, float[]> bySql = new HashMap<>();
        for (Row row : spark.sql("select text, embed(text) as vector from texts").collectAsList()) {
            bySql.put(row.getString(0), row.isNullAt(1) ? null : floats(row.getList(1)));
        }
        assertNull(bySql.get(null));
        List<Row> transformed = miniLm().transform(spark.table("texts")).collectAsList();
        assertEquals(3, transformed.size());
        for (Row row : transformed) {
            float[] vector = row.isNullAt(1) ? null : floats(row.getList(1));
            assertArrayEquals(bySql.get(row.getString(0)), vector);
        }
        try (var encoder = TextEncoder.load(MINI_LM)) {
            assertArrayEquals(encoder.encode("a text"), bySql.get("a text"));
            assertArrayEquals(encoder.encode(""), bySql.get(""));
        }
    }

    @Test
    void shouldKeepItsSettingsWhenAPipelineIsSaved() throws IOException {
        var embedder = miniLm().setDimensions(64).setPrompt("query: ").setWeights("bf16").setLengthPolicy("chunk_mean");
        String path = directory.resolve("pipeline").toString();
        Dataset<Row> table = Sessions.table(spark, List.of("my password"), 1);
        PipelineModel pipeline = new Pipeline().setStages(new PipelineStage[] {embedder}).fit(table);
        pipeline.save(path);
        PipelineModel loaded = PipelineModel.load(path);
        float[] vector = vectors(loaded.transform(table)).get("my password");
        assertEquals(64, vector.length);
        assertArrayEquals(vectors(pipeline.transform(table)).get("my password"), vector);
        var stage = (FoveaEmbedder) loaded.stages()[0];
        assertEquals(embedder.settings(), stage.settings());
    }

    @Test
    void shouldRerankWithAShippedModel() throws IOException {
        Path model = ToyClassifier.write(directory.resolve("reranker"), "gte-new", "{\"0\": \"LABEL_0\"}");
        var reranker = new FoveaReranker().setModel(SparkModels.ship(spark, model));
        Dataset<Row> pairs = spark.sql("select * from values ('w1 w2', 'w3'), ('w4', 'w5 w6'), ('w1 w2', 'w7'), ('w1', null)"
                + " as pairs(query, text)");
        spark.udf().register("rerank", reranker.function());
        List<Row> rows = reranker.transform(pairs).withColumn("sql", functions.expr("rerank(query, text)")).collectAsList();
        try (var library = Reranker.load(model)) {
            for (Row row : rows) {
                Float expected = row.isNullAt(1) ? null : (Float) library.score(row.getString(0), row.getString(1));
                assertEquals(expected, row.getAs("score"));
                assertEquals(expected, row.getAs("sql"));
            }
        }
    }

    @Test
    void shouldClassify() throws IOException {
        Path model = ToyClassifier.write(directory.resolve("classifier"), "bert", "{\"0\": \"no\", \"1\": \"maybe\", \"2\": \"yes\"}");
        var classifier = new FoveaClassifier().setModel(model.toString());
        Dataset<Row> table = Sessions.table(spark, List.of("w1 w2", "w3"), 2);
        spark.udf().register("classify", classifier.function());
        List<Row> rows = classifier.transform(table).selectExpr("text", "labels[0].label", "labels[0].score",
                "classify(text) = labels").collectAsList();
        try (var library = TextClassifier.load(model)) {
            for (Row row : rows) {
                TextClassifier.Label best = library.classify(row.getString(0)).getFirst();
                assertEquals(best.name(), row.getString(1));
                assertEquals(best.score(), row.getFloat(2));
                assertTrue(row.getBoolean(3));
            }
        }
    }

    @Test
    void shouldNameWhatIsWrong() {
        Dataset<Row> table = Sessions.table(spark, List.of("a"), 1);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new FoveaEmbedder().transform(table)).getMessage()
                .contains("has no model"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> miniLm().setInputCol("texts").transform(table))
                .getMessage().contains("reads the column texts, but there are text"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> miniLm().setOutputCol("text").transform(table))
                .getMessage().contains("appends a column text, which is there already"));
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> miniLm().transform(table.selectExpr("1 as text"))).getMessage().contains("reads texts, but the column text has int"));
        assertThrows(IllegalArgumentException.class, () -> miniLm().setWeights("q3"));
        Throwable absent = assertThrows(Exception.class, () -> miniLm().setModel("no/such/model").transform(table).collect());
        assertTrue(messageOf(absent).contains("no/such/model"), () -> messageOf(absent));
        assertThrows(NotDirectoryException.class, () -> SparkModels.ship(spark, Path.of("no/such/model")));
        assertTrue(Files.notExists(Path.of("no")));
    }
}
