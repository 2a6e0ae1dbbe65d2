package dev.fovea.bench.attention;

import static dev.fovea.bench.attention.RandomInputs.bias;
import static dev.fovea.bench.attention.RandomInputs.keep;
import static dev.fovea.bench.attention.RandomInputs.random;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Fovea's attention gives what PyTorch's gives: every kernel table, and plain Java. */
@EnabledOnOs(
        value = OS.LINUX,
        architectures = "amd64",
        disabledReason = "PyTorch's libraries are on the class path of x86-64 Linux alone")
class AgreementTest {
    /** Of results in (−1, 1): the errors of both. */
    private static final float TOLERANCE = 2e-6f;

    private static final List<AttentionShape> SHAPES = List.of(
            new AttentionShape(1, 1, 1, 1, 1, 1, 1),
            new AttentionShape(3, 2, 2, 17, 17, 32, 32),
            new AttentionShape(2, 12, 12, 128, 128, 32, 32),
            new AttentionShape(2, 4, 2, 33, 97, 40, 24),
            new AttentionShape(1, 6, 1, 64, 257, 59, 59),
            new AttentionShape(2, 8, 2, 97, 64, 64, 96),
            new AttentionShape(1, 3, 3, 300, 300, 80, 80),
            new AttentionShape(1, 2, 1, 70, 1100, 128, 128),
            new AttentionShape(1, 2, 2, 31, 130, 111, 192),
            new AttentionShape(1, 1, 1, 20, 600, 256, 256));

    private static final List<Function<AttentionShape, AttentionOptions>> OPTIONS = List.of(
            _ -> AttentionOptions.defaults(),
            _ -> AttentionOptions.defaults().withCausal(),
            _ -> AttentionOptions.defaults().withScale(0.31),
            _ -> AttentionOptions.defaults().withCausal().withScale(0.2),
            shape -> AttentionOptions.defaults().withMask(keep(1, 1, shape)),
            shape -> AttentionOptions.defaults().withMask(keep(shape.batch(), 1, shape)),
            shape -> AttentionOptions.defaults().withMask(keep(shape.batch(), shape.heads(), shape)).withScale(0.3),
            shape -> AttentionOptions.defaults().withMask(bias(1, 1, shape)),
            shape -> AttentionOptions.defaults().withMask(bias(shape.batch(), shape.heads(), shape)).withScale(0.3));

    static Stream<Arguments> grid() {
        List<Arguments> all = new ArrayList<>();
        for (EngineOptions engine : engines()) {
            for (AttentionShape shape : SHAPES) {
                OPTIONS.forEach(options -> all.add(Arguments.of(engine, shape, options.apply(shape))));
            }
        }
        return all.stream();
    }

    private static List<EngineOptions> engines() {
        EngineOptions native2 = EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(2);
        try (Engine engine = Engine.create(native2)) {
            List<EngineOptions> all = new ArrayList<>(
                    engine.availableIsas().stream().map(native2::withIsa).toList());
            all.add(EngineOptions.defaults().withBackend(Backend.JAVA));
            return all;
        }
    }

    @ParameterizedTest
    @MethodSource("grid")
    void shouldGiveWhatPyTorchGives(EngineOptions engine, AttentionShape shape, AttentionOptions options) {
        float[] query = random(1, shape.query());
        float[] key = random(2, shape.key());
        float[] value = random(3, shape.value());
        float[] expected = TorchAttention.attend(shape, options, query, key, value);
        assertArrayEquals(expected, attend(engine, shape, options, query, key, value), TOLERANCE);
    }

    private static float[] attend(EngineOptions engineOptions, AttentionShape shape, AttentionOptions options,
            float[] query, float[] key, float[] value) {
        try (Engine engine = Engine.create(engineOptions);
                Attention attention = Attention.create(engine, spec(shape, options));
                Arena arena = Arena.ofConfined()) {
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(shape.out()));
            AttentionTensors tensors = AttentionTensors.of(
                    tokensFirst(Tensor.copyOf(arena, query, shape.query())),
                    tokensFirst(Tensor.copyOf(arena, key, shape.key())),
                    tokensFirst(Tensor.copyOf(arena, value, shape.value())),
                    tokensFirst(out));
            attention.run(masked(tensors, options.mask(), shape, arena));
            return out.segment().toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static AttentionSpec spec(AttentionShape shape, AttentionOptions options) {
        AttentionSpec spec = AttentionSpec.of(shape.heads(), shape.headDim())
                .withKvHeads(shape.kvHeads())
                .withValueDim(shape.valueDim())
                .withMask(options.causal() ? Mask.causal().topLeft() : Mask.none());
        return options.scale().isPresent() ? spec.withScale((float) options.scale().getAsDouble()) : spec;
    }

    /** [batch, heads, tokens, dim] as [batch, tokens, heads, dim]. */
    private static Tensor tokensFirst(Tensor headsFirst) {
        return headsFirst.transpose(1, 2);
    }

    private static AttentionTensors masked(
            AttentionTensors tensors, AttentionMask mask, AttentionShape shape, Arena arena) {
        return switch (mask) {
            case null -> tensors;
            case AttentionMask.Bias bias -> tensors.withBias(Tensor.copyOf(
                    arena, bias.values(), bias.batch(), bias.heads(), shape.queries(), shape.keys()));
            case AttentionMask.Keep keep -> {
                Tensor bytes = Tensor.allocate(
                        arena, DType.U8, Shape.of(keep.batch(), keep.heads(), shape.queries(), shape.keys()));
                for (int i = 0; i < keep.values().length; i++) {
                    bytes.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (keep.values()[i] ? 1 : 0));
                }
                yield tensors.withMask(bytes);
            }
        };
    }
}
