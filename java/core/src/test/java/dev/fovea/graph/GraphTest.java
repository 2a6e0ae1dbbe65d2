package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class GraphTest {
    private final Arena arena = Arena.ofConfined();
    private final Graph.Builder g = Graph.builder();
    private final Value hidden = g.named("hidden").embedding(f32(100, 384), f32(64, 384), 0, f32(384));
    private final Value pooled = g.named("pooled").pool(hidden, Pooling.MEAN);

    @AfterEach
    void closeArena() {
        arena.close();
    }

    @Test
    void shouldYieldOneValuePerOpInOrder() {
        Value query = g.named("query").linear(hidden, f32(512, 384), null);
        Value inner = g.activate(query, Activation.GELU_ERF);

        Graph graph = g.build(inner, pooled);

        assertEquals(List.of(hidden, pooled, query, inner), graph.values());
        assertEquals(List.of(inner, pooled), graph.outputs());
        assertEquals("query", graph.ops().get(query.id()).name());
        assertEquals("\"query\" [tokens, 512]", query.toString());
        assertEquals("\"activate3\" [tokens, 512]", inner.toString());
        assertEquals(Rows.SEQUENCES, pooled.rows());
    }

    @Test
    void shouldNotChangeAfterItWasBuilt() {
        Graph graph = g.build(pooled);
        g.normalize(pooled);

        assertEquals(2, graph.ops().size());
        assertThrows(UnsupportedOperationException.class, () -> graph.ops().clear());
    }

    @Test
    void shouldRejectAnInputWidthThatDiffersFromTheWeight() {
        rejects(() -> g.named("query").linear(hidden, f32(384, 512), null),
                "linear \"query\": weight has 512 inputs, x \"hidden\" [tokens, 384] has 384");
    }

    @Test
    void shouldRejectABiasThatDiffersFromTheWeight() {
        rejects(() -> g.linear(hidden, f32(512, 384), f32(384)), "bias has 384", "outputs 512");
    }

    @Test
    void shouldRejectAWeightThatIsNoMatrix() {
        rejects(() -> g.linear(hidden, f32(384), null), "weight with 2 dimensions", "F32[384]");
    }

    @Test
    void shouldRejectAnEmptyWeight() {
        rejects(() -> g.linear(hidden, f32(0, 384), null), "sizes must be 1 to", "F32[0, 384]");
    }

    @Test
    void shouldRejectConstantsOfAnotherType() {
        Tensor integers = Tensor.allocate(arena, DType.I32, Shape.of(384));
        rejects(() -> g.named("norm").layerNorm(hidden, integers, f32(384), 0), "\"norm\"", "gamma", "F32",
                "I32[384]");
    }

    @Test
    void shouldRejectNormConstantsOfAnotherWidth() {
        rejects(() -> g.layerNorm(hidden, f32(383), f32(384), 0), "gamma has 383", "has 384");
        rejects(() -> g.layerNorm(hidden, f32(384), f32(385), 0), "beta has 385", "has 384");
        rejects(() -> g.rmsNorm(hidden, f32(383), 0), "gamma has 383", "has 384");
    }

    @Test
    void shouldRejectAScaleThatIsNotFinite() {
        rejects(() -> g.embedding(f32(10, 384), Float.NaN, null, 0, null), "scale", "NaN");
    }

    @Test
    void shouldRejectAProductOfTwoShapes() {
        Value other = g.named("other").linear(hidden, f32(512, 384), null);
        rejects(() -> g.multiply(hidden, other), "multiply", "384", "512");
    }

    @Test
    void shouldRejectAnEpsilonThatIsNoSmallNumber() {
        rejects(() -> g.layerNorm(hidden, f32(384), f32(384), Float.NaN), "epsilon", "NaN");
        rejects(() -> g.layerNorm(hidden, f32(384), f32(384), -1e-5f), "epsilon", "-1.0E-5");
        rejects(() -> g.rmsNorm(hidden, f32(384), Float.POSITIVE_INFINITY), "epsilon", "Infinity");
    }

    @Test
    void shouldRejectEmbeddingTablesThatDoNotFitEachOther() {
        rejects(() -> g.embedding(f32(10, 8), f32(5, 9), 0, null), "positions has 9", "words has 8");
        rejects(() -> g.embedding(f32(10, 8), null, 0, f32(7)), "type has 7", "words has 8");
        rejects(() -> g.embedding(f32(10, 8), f32(5, 8), 5, null), "first position 5", "5 positions");
        rejects(() -> g.embedding(f32(10, 8), f32(5, 8), -1, null), "first position -1");
    }

    @Test
    void shouldRejectASumOfTwoShapes() {
        Value wide = g.named("wide").linear(hidden, f32(512, 384), null);
        rejects(() -> g.add(hidden, wide), "\"hidden\" [tokens, 384]", "\"wide\" [tokens, 512]");
        rejects(() -> g.add(hidden, pooled), "\"hidden\" [tokens, 384]", "\"pooled\" [sequences, 384]");
    }

    @Test
    void shouldRejectHeadsThatDoNotDivideTheColumns() {
        rejects(() -> g.attention(hidden, hidden, hidden, AttentionSpec.of(7, 55)),
                "query \"hidden\"", "384", "7 heads of 55");
        rejects(() -> g.attention(hidden, hidden, hidden, AttentionSpec.of(12, 32).withKvHeads(4)),
                "key \"hidden\"", "384", "4 heads of 32");
        rejects(() -> g.attention(hidden, hidden, hidden, AttentionSpec.of(12, 32).withValueDim(16)),
                "value \"hidden\"", "384", "12 heads of 16");
    }

    @Test
    void shouldRejectKeysOfAnotherHeadDim() {
        Value key = g.named("key").linear(hidden, f32(192, 384), null);
        rejects(() -> g.attention(hidden, key, hidden, AttentionSpec.of(12, 32)), "12 heads of 32", "\"key\"", "192");
    }

    @Test
    void shouldRejectAnInfiniteScale() {
        rejects(() -> g.attention(hidden, hidden, hidden, AttentionSpec.of(12, 32).withScale(Float.POSITIVE_INFINITY)),
                "scale", "Infinity");
    }

    @Test
    void shouldRejectSequencesWhereTokensAreNeeded() {
        rejects(() -> g.pool(pooled, Pooling.CLS), "\"pooled\" [sequences, 384]");
        rejects(() -> g.attention(hidden, pooled, hidden, AttentionSpec.of(12, 32)),
                "key", "\"pooled\" [sequences, 384]");
    }

    @Test
    void shouldRejectValuesOfAnotherBuilder() {
        Value stranger = Graph.builder().named("stranger").embedding(f32(100, 384), null, 0, null);
        rejects(() -> g.add(hidden, stranger), "\"stranger\"", "another builder");
        rejects(() -> g.build(stranger), "\"stranger\"", "another builder");
    }

    @Test
    void shouldRejectAGraphWithoutOutputs() {
        rejects(g::build, "at least one output");
    }

    @Test
    void shouldNameWhatIsNull() {
        assertEquals("weight", assertThrows(NullPointerException.class, () -> g.linear(hidden, (Tensor) null, null)).getMessage());
        assertEquals("x", assertThrows(NullPointerException.class, () -> g.normalize(null)).getMessage());
        assertEquals("mode", assertThrows(NullPointerException.class, () -> g.pool(hidden, null)).getMessage());
    }

    private Tensor f32(long... sizes) {
        return Tensor.allocate(arena, DType.F32, Shape.of(sizes));
    }

    private static void rejects(Executable call, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected <" + part + "> in <" + message + ">");
        }
    }
}
