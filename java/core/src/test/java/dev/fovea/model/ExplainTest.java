package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExplainTest {
    private static final int[] WORDS = {3, 1, 4, 1, 5, 9, 2, 6};

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#devices")
    void shouldGiveThePatternOfTheReference(TestEngine backend) throws Exception {
        TinyModel model = new TinyModel(1);
        model.write(directory);
        double[][][][] expected = ReferenceBert.bert(model).patterns(TinyModel.ids(WORDS));
        try (Engine engine = backend.create();
                var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withEngine(engine))) {
            float[] before = encoder.encode(TinyModel.text(WORDS));
            AttentionPattern pattern = encoder.explain(TinyModel.text(WORDS));
            assertEquals(TinyModel.LAYERS, pattern.layers());
            assertEquals(TinyModel.HEADS, pattern.heads());
            assertEquals(List.of("[CLS]", "w3", "w1", "w4", "w1", "w5", "w9", "w2", "w6", "[SEP]"),
                    pattern.queryTokens());
            assertEquals(pattern.queryTokens(), pattern.keyTokens());
            assertClose(expected, pattern);
            assertArrayEquals(before, encoder.encode(TinyModel.text(WORDS)));
        }
    }

    private static void assertClose(double[][][][] expected, AttentionPattern pattern) {
        for (int layer = 0; layer < pattern.layers(); layer++) {
            for (int head = 0; head < pattern.heads(); head++) {
                for (int query = 0; query < pattern.queries(); query++) {
                    float[] row = pattern.row(layer, head, query);
                    double sum = 0;
                    for (int key = 0; key < pattern.keys(); key++) {
                        assertEquals(expected[layer][head][query][key], row[key], 2e-6);
                        assertEquals(row[key], pattern.at(layer, head, query, key));
                        sum += row[key];
                    }
                    assertEquals(1, sum, 1e-6);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(LengthPolicy.class)
    void shouldNameBothNumbersOfATextOverTheLimit(LengthPolicy policy) throws Exception {
        new TinyModel(1).write(directory);
        try (var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withLengthPolicy(policy))) {
            assertEquals(TinyModel.POSITIONS, encoder.explain(TinyModel.text(new int[18])).queries());
            var refusal = assertThrows(IllegalArgumentException.class,
                    () -> encoder.explain(TinyModel.text(new int[19])));
            assertTrue(refusal.getMessage().contains("the text has 21 tokens"), refusal.getMessage());
            assertTrue(refusal.getMessage().contains("at most 20"), refusal.getMessage());
        }
    }

    @Test
    void shouldExplainNothingButSpecialTokensOfAnEmptyText() throws Exception {
        new TinyModel(1).write(directory);
        try (var encoder = TextEncoder.load(directory)) {
            AttentionPattern pattern = encoder.explain("");
            assertEquals(List.of("[CLS]", "[SEP]"), pattern.keyTokens());
            assertEquals("pattern of 2 layers, 3 heads, 2 queries, 2 keys", pattern.toString());
        }
    }

    @Test
    void shouldStayAsItIs() throws Exception {
        new TinyModel(1).write(directory);
        try (var encoder = TextEncoder.load(directory)) {
            AttentionPattern pattern = encoder.explain("w1 w2");
            float before = pattern.at(1, 2, 3, 0);
            pattern.row(1, 2, 3)[0] = 7;
            encoder.explain("w3 w4");
            assertEquals(before, pattern.at(1, 2, 3, 0));
            assertThrows(UnsupportedOperationException.class, () -> pattern.keyTokens().set(0, "x"));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.at(2, 0, 0, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.at(0, 3, 0, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.at(0, 0, 4, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.at(0, 0, 0, 4));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.at(0, 0, 0, -1));
            assertThrows(IndexOutOfBoundsException.class, () -> pattern.row(-1, 0, 0));
        }
    }

    @Test
    void shouldRefuseWhenClosed() throws Exception {
        new TinyModel(1).write(directory);
        var encoder = TextEncoder.load(directory);
        encoder.close();
        assertThrows(IllegalStateException.class, () -> encoder.explain("w1"));
        assertThrows(NullPointerException.class, () -> encoder.explain(null));
    }
}
