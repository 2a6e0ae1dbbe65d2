package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Weights found by their names, and refused in words that name them. */
class ModelWeightsTest {
    private static final Description DESCRIPTION = Description.of(
            11, 6, 2, 5, Attention.of(2, 3).withBiases(true, false), new FeedForward(7, Activation.RELU, false, true));
    private static final WeightNames NAMES = WeightNames.plain("encoder").withEndings(".gamma", ".beta");

    private final Arena arena = Arena.ofConfined();
    private final Map<String, Tensor> tensors =
            new HashMap<>(RandomModel.of(DESCRIPTION, "encoder", 1, arena).weights());

    private record Named(Map<String, Tensor> tensors) implements Weights {
        @Override
        public Path file() {
            return Path.of("some.file");
        }

        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public Tensor get(String name) {
            return tensors.get(name);
        }

        @Override
        public void close() {}
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private ModelWeights find() throws FormatException {
        return ModelWeights.of(DESCRIPTION, NAMES, new Named(tensors));
    }

    @Test
    void shouldFindWhatTheDescriptionDemands() throws Exception {
        ModelWeights weights = find();
        Tensor query = tensors.get("encoder.layers.1.attention.query.weight");
        assertSame(query.segment(), weights.weight(Part.QUERY, 1).segment());
        assertEquals(Shape.of(6, 6), weights.weight(Part.QUERY, 1).shape());
        assertEquals(Shape.of(6), weights.bias(Part.QUERY, 1).shape());
        assertNull(weights.bias(Part.ATTENTION_OUTPUT, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> weights.weight(Part.QUERY, 2));
        assertNull(weights.weight(Part.FINAL_NORM, 0));
    }

    @Test
    void shouldFindOtherEndings() throws Exception {
        Tensor gamma = tensors.remove("encoder.layers.0.attention.norm.weight");
        tensors.put("encoder.layers.0.attention.norm.gamma", gamma);
        assertSame(gamma.segment(), find().weight(Part.ATTENTION_NORM, 0).segment());
    }

    @Test
    void shouldNameTheTensorThatDoesNotFit() {
        String name = "encoder.layers.1.feed_forward.up.weight";
        tensors.remove(name);
        refused(name, "no such tensor");
        tensors.put(name, Tensor.allocate(arena, DType.F32, Shape.of(6, 7)));
        refused(name, "expected shape [7, 6] by the configuration, got [6, 7]");
        tensors.put(name, Tensor.allocate(arena, DType.I32, Shape.of(7, 6)));
        refused(name, "expected a floating-point type, got I32");
        tensors.put(name, Tensor.allocate(arena, DType.F32, Shape.of(1, 7, 6)));
        refused(name, "[1, 7, 6]");
    }

    private void refused(String name, String shown) {
        FormatException e = assertThrows(FormatException.class, this::find);
        assertEquals(Path.of("some.file"), e.file());
        assertEquals(name, e.field());
        assertTrue(e.problem().contains(shown), e.problem());
    }
}
