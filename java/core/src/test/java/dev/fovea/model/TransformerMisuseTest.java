package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig.Positions;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What does not fit ends in an exception that names the field and both values. */
class TransformerMisuseTest {
    private static final TransformerConfig CONFIG = TransformerConfig.base(Architecture.ENCODER_DECODER, 41)
            .withSizes(1, 24, 4, 50).withPositions(Positions.LEARNED, 30);
    private static final Engine ENGINE = Engine.create();
    private static final int[] SOURCE = {1, 2, 3};

    @AfterAll
    static void close() {
        ENGINE.close();
    }

    @Test
    void shouldRefuseConfigsThatDoNotFit() {
        refused(() -> CONFIG.withSizes(1, 26, 4, 50), "d_model", "heads 4", "26");
        refused(() -> CONFIG.withSizes(0, 24, 4, 50), "layers", "0");
        refused(() -> CONFIG.withSizes(1, 24, 4, -3), "d_ff", "-3");
        refused(() -> CONFIG.withKvHeads(3), "heads", "kv_heads 3", "4");
        refused(() -> CONFIG.withKvHeads(0), "kv_heads", "0");
        refused(() -> CONFIG.withSizes(1, 20, 4, 50).withPositions(Positions.ROPE, 30), "head_dim", "5");
        refused(() -> CONFIG.withPositions(Positions.NONE, 0), "max_tokens", "0");
        refused(() -> CONFIG.withEpsilon(-1), "epsilon", "-1");
        refused(() -> CONFIG.withEmbeddings(true, Float.NaN), "embedding_scale", "NaN");
        refused(() -> TransformerConfig.base(Architecture.ENCODER, 0), "vocabulary", "0");
    }

    @Test
    void shouldRefuseWeightsThatDoNotFit() {
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> good = TransformerFamily.random(CONFIG, 1, arena);
            Transformer.of(CONFIG, good, ENGINE).close();
            String name = "decoder.layers.0.cross_attention.key.weight";
            refusedWeights(good, name, null, name, "[24, 24]", "none");
            refusedWeights(good, name, zeros(arena, DType.F32, 24, 25), name, "[24, 24]", "[24, 25]");
            refusedWeights(good, name, zeros(arena, DType.F16, 24, 24), name, "F32", "F16");
            refusedWeights(good, "embedding.weight", zeros(arena, DType.F32, 40, 24), "[41, 24]", "[40, 24]");
            refusedWeights(good, "output.weight", zeros(arena, DType.F32, 41, 24), "expected no weight output.weight");
        }
    }

    private static Tensor zeros(Arena arena, DType dtype, long... sizes) {
        return Tensor.allocate(arena, dtype, Shape.of(sizes));
    }

    private static void refusedWeights(Map<String, Tensor> good, String name, Tensor weight, String... names) {
        Map<String, Tensor> weights = new HashMap<>(good);
        if (weight == null) {
            weights.remove(name);
        } else {
            weights.put(name, weight);
        }
        refused(() -> Transformer.of(CONFIG, weights, ENGINE), names);
    }

    @Test
    void shouldRefuseSequencesThatDoNotFit() {
        try (Transformer model = Transformer.random(CONFIG, 1, ENGINE)) {
            refused(() -> model.encode(new int[31]), "source 0", "max_tokens 30", "31");
            refused(() -> model.encode(new int[0]), "source 0", "1 to", "got 0");
            refused(() -> model.encodeAll(List.of(SOURCE, new int[] {0, 41})), "source 1", "41");
            refused(() -> model.encode(new int[] {-1}), "vocabulary 41", "-1");
            refused(() -> model.decode(SOURCE, new int[31]), "target 0", "30", "31");
            refused(() -> model.decode(new int[0], SOURCE), "source 0", "0");
            refused(() -> model.logits(SOURCE, new int[] {99}), "vocabulary 41", "99");
            refused(() -> model.explain(SOURCE, new int[31]), "target 0", "30", "31");
            refused(() -> model.explain(new int[31], SOURCE), "source 0", "30", "31");
        }
    }

    @Test
    void shouldRefuseOptionsThatDoNotFit() {
        var greedy = GenerationOptions.greedy(0, 1, 5);
        refused(() -> greedy.withBeams(0, 0), "beams", "0");
        refused(() -> greedy.withBeams(65, 0), "beams", "64", "65");
        refused(() -> greedy.withBeams(2, -0.5), "length_penalty", "-0.5");
        refused(() -> greedy.withBeams(2, Double.NaN), "length_penalty", "NaN");
        refused(() -> GenerationOptions.greedy(-1, 1, 5), "start_id", "-1");
        refused(() -> GenerationOptions.greedy(0, -2, 5), "end_id", "-2");
        refused(() -> GenerationOptions.greedy(0, 1, 0), "max_tokens", "0");
        try (Transformer model = Transformer.random(CONFIG, 1, ENGINE)) {
            refused(() -> model.generate(SOURCE, GenerationOptions.greedy(0, 41, 5)), "end_id", "41");
            refused(() -> model.generate(SOURCE, GenerationOptions.greedy(77, 1, 5)), "start_id", "41", "77");
            refused(() -> model.generate(SOURCE, GenerationOptions.greedy(0, 1, 31)), "max_tokens 30", "31");
            refused(() -> model.generate(new int[31], greedy), "30", "31");
        }
    }

    @Test
    void shouldRefuseWhatItsArchitectureLacks() {
        try (Transformer encoder = random(Architecture.ENCODER); Transformer decoder = random(Architecture.DECODER)) {
            throwsNaming(UnsupportedOperationException.class, () -> encoder.decode(SOURCE, SOURCE), "ENCODER");
            throwsNaming(UnsupportedOperationException.class,
                    () -> encoder.generate(SOURCE, GenerationOptions.greedy(0, 1, 5)), "no decoder");
            throwsNaming(UnsupportedOperationException.class, () -> decoder.encode(SOURCE), "no encoder");
            refused(() -> decoder.decode(SOURCE, SOURCE), "no source", "3 tokens");
        }
    }

    private static Transformer random(Architecture architecture) {
        return Transformer.random(TransformerConfig.base(architecture, 41).withSizes(1, 24, 4, 50), 1, ENGINE);
    }

    @Test
    void shouldRefuseCallsOnceClosed() {
        Transformer model = Transformer.random(CONFIG, 1, ENGINE);
        float[][] before = model.decode(SOURCE, SOURCE);
        assertArrayEquals(before, model.decode(SOURCE, SOURCE));
        model.close();
        model.close();
        throwsNaming(IllegalStateException.class, () -> model.encode(SOURCE), "closed");
        throwsNaming(IllegalStateException.class, () -> model.decode(SOURCE, SOURCE), "closed");
        throwsNaming(IllegalStateException.class, () -> model.explain(SOURCE, SOURCE), "closed");
    }

    private static void refused(Executable call, String... names) {
        throwsNaming(IllegalArgumentException.class, call, names);
    }

    private static void throwsNaming(Class<? extends Throwable> type, Executable call, String... names) {
        String message = assertThrows(type, call).getMessage();
        assertTrue(Arrays.stream(names).allMatch(message::contains), message);
    }
}
