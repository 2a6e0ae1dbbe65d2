package dev.fovea.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.Reranker;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEncoder;
import dev.fovea.testing.ToyClassifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ML_PREDICT on Flink's local cluster: rows that the library gives for the same texts, to the bit. */
class PredictTest {
    private static final String EMBEDDER =
            "CREATE MODEL embedder INPUT (`text` STRING) OUTPUT (`vector` ARRAY<FLOAT>) WITH ('provider' = 'fovea', ";

    @TempDir
    private Path directory;

    private StreamExecutionEnvironment environment;
    private StreamTableEnvironment flink;

    @BeforeEach
    void open() {
        environment = StreamExecutionEnvironment.createLocalEnvironment(2);
        flink = StreamTableEnvironment.create(environment);
    }

    private List<Row> rows(String sql) throws Exception {
        CloseableIterator<Row> result = flink.executeSql(sql).collect();
        try {
            List<Row> rows = new ArrayList<>();
            result.forEachRemaining(rows::add);
            return rows;
        } finally {
            result.close();
        }
    }

    private void table(String name, List<Row> rows, String... columns) {
        TypeInformation<?>[] strings = new TypeInformation<?>[columns.length];
        Arrays.fill(strings, Types.STRING);
        flink.createTemporaryView(name, environment.fromData(rows, Types.ROW_NAMED(columns, strings)));
    }

    private static float[] floats(Row row, String column) {
        Float[] boxed = row.getFieldAs(column);
        float[] values = new float[boxed.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = boxed[i];
        }
        return values;
    }

    private String failure(String sql) {
        var all = new StringBuilder();
        for (Throwable e = assertThrows(Exception.class, () -> rows(sql)); e != null; e = e.getCause()) {
            all.append(e.getMessage()).append('\n');
        }
        return all.toString();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldEmbedLikeTheLibraryAndLeaveNothing(boolean async) throws Exception {
        List<String> texts = IntStream.range(0, 300).mapToObj(i -> "passage " + i + " of the table".repeat(i % 7)).toList();
        List<Row> rows = new ArrayList<>(texts.stream().map(Row::of).toList());
        rows.add(Row.of((Object) null));
        table("passages", rows, "text");
        flink.executeSql(EMBEDDER + "'model' = 'all-minilm-l6-v2', 'prompt' = 'passage: ', 'threads' = '2')");
        List<Row> vectors = rows("SELECT `text`, `vector` FROM ML_PREDICT(TABLE passages, MODEL embedder, DESCRIPTOR(`text`),"
                + " MAP['async', '" + async + "'])");
        assertEquals(301, vectors.size());
        try (var encoder = TextEncoder.load("all-minilm-l6-v2", EncoderOptions.defaults().withPrompt("passage: "))) {
            for (Row row : vectors) {
                String text = row.getFieldAs("text");
                if (text == null) {
                    assertNull(row.getField("vector"));
                } else {
                    assertArrayEquals(encoder.encode(text), floats(row, "vector"), text);
                }
            }
        }
        assertEquals(0, SharedModels.count());
    }

    @Test
    void shouldRerank() throws Exception {
        Path model = ToyClassifier.write(directory.resolve("reranker"), "gte-new", "{\"0\": \"LABEL_0\"}");
        table("pairs", List.of(Row.of("w1 w2", "w3"), Row.of("w4", "w5 w6"), Row.of("w1", null)), "query", "passage");
        flink.executeSql("CREATE MODEL reranker INPUT (`query` STRING, passage STRING) OUTPUT (score FLOAT)"
                + " WITH ('provider' = 'fovea', 'model' = '" + model + "')");
        List<Row> scores = rows("SELECT * FROM ML_PREDICT(TABLE pairs, MODEL reranker, DESCRIPTOR(`query`, passage))");
        assertEquals(3, scores.size());
        try (var library = Reranker.load(model)) {
            for (Row row : scores) {
                String passage = row.getFieldAs("passage");
                Float expected = passage == null ? null : (Float) library.score(row.<String>getFieldAs("query"), passage);
                assertEquals(expected, row.getField("score"));
            }
        }
    }

    @Test
    void shouldClassify() throws Exception {
        Path model = ToyClassifier.write(directory.resolve("labels"), "bert", "{\"0\": \"bad\", \"1\": \"so-so\", \"2\": \"good\"}");
        table("reviews", List.of(Row.of("w1 w2"), Row.of("w3")), "text");
        flink.executeSql("CREATE MODEL labels INPUT (`text` STRING) OUTPUT (label STRING, score FLOAT)"
                + " WITH ('provider' = 'fovea', 'model' = '" + model + "')");
        List<Row> labels = rows("SELECT * FROM ML_PREDICT(TABLE reviews, MODEL labels, DESCRIPTOR(`text`))");
        assertEquals(2, labels.size());
        try (var library = TextClassifier.load(model)) {
            for (Row row : labels) {
                TextClassifier.Label best = library.classify(row.<String>getFieldAs("text")).getFirst();
                assertEquals(best, new TextClassifier.Label(row.getFieldAs("label"), row.<Float>getFieldAs("score")));
            }
        }
    }

    @Test
    void shouldNameWhatIsWrong() {
        table("passages", List.of(Row.of("a")), "text");
        flink.executeSql(EMBEDDER + "'model' = '" + directory.resolve("none") + "')");
        String query = "SELECT * FROM ML_PREDICT(TABLE passages, MODEL embedder, DESCRIPTOR(`text`))";
        String missing = failure(query);
        assertTrue(missing.contains("cannot be loaded on this task manager") && missing.contains("none"), missing);
        assertEquals(0, SharedModels.count());
        for (String[] bad : new String[][] {{"'dimensions' = '-1'", "-1"}, {"'threads' = '-2'", "got -2"},
                {"'weights' = 'float3'", "float3"}, {"'prompts' = 'x'", "prompts"}}) {
            flink.executeSql("DROP MODEL embedder");
            flink.executeSql(EMBEDDER + "'model' = 'all-minilm-l6-v2', " + bad[0] + ")");
            String message = failure(query);
            assertTrue(message.contains(bad[1]), message);
        }
        flink.executeSql("CREATE MODEL odd INPUT (`text` STRING) OUTPUT (`vector` ARRAY<DOUBLE>) WITH ('provider' = 'fovea',"
                + " 'model' = 'all-minilm-l6-v2')");
        String message = failure("SELECT * FROM ML_PREDICT(TABLE passages, MODEL odd, DESCRIPTOR(`text`))");
        assertTrue(message.contains("OUTPUT (ARRAY<DOUBLE>)"), message);
    }
}
