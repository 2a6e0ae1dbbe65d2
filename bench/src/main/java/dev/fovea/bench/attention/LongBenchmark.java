package dev.fovea.bench.attention;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.study.Verdict;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Fovea's attention on long sequences, on one thread: the sides are masks of {@link LongAttention}. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class LongBenchmark {
    private static final Path STATUS = Path.of("/proc/self/status");

    /** The mask. */
    @Param(LongAttention.FULL)
    public String side;

    /** Queries, the last of which stands at the last key. */
    @Param("1024")
    public int queries;

    /** Keys. */
    @Param("1024")
    public int keys;

    /** Heads. */
    @Param("1")
    public int heads;

    private final Arena arena = Arena.ofShared();
    private Engine engine;
    private Attention attention;
    private AttentionTensors tensors;

    /** Makes the tensors, and checks the result of a call, of which the process must hardly grow. */
    @Setup
    public void open() throws IOException {
        int d = LongAttention.HEAD_DIM;
        engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(1));
        attention = Attention.create(engine, AttentionSpec.of(heads, d).withMask(switch (side) {
            case LongAttention.FULL -> Mask.none();
            case LongAttention.CAUSAL -> Mask.causal();
            case LongAttention.WINDOW -> Mask.window(LongAttention.WINDOW_LEFT, 0);
            default -> throw new IllegalArgumentException("unknown side " + side);
        }));
        Verdict.version(Artifact.fovea());
        Verdict.setting("kernel table " + engine.isa() + ", 1 thread, heads of " + d
                + ", tensors [heads, tokens, head_dim]; scratch " + attention.scratchBytes() + " bytes");
        AttentionInputs inputs = AttentionInputs.random(heads * queries * d, heads * keys * d);
        Tensor query = Tensor.copyOf(arena, inputs.query(), heads, queries, d);
        Tensor key = Tensor.copyOf(arena, inputs.key(), heads, keys, d);
        Tensor value = Tensor.copyOf(arena, inputs.value(), heads, keys, d);
        Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(heads, queries, d));
        tensors = AttentionTensors.of(
                query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), out.transpose(0, 1));
        // Pages that nobody wrote to would count for the call.
        out.segment().fill((byte) 1);
        OptionalLong before = peakKilobytes();
        attention.run(tensors);
        OptionalLong after = peakKilobytes();
        AttentionReference reference = new AttentionReference(heads, queries, keys, d,
                i -> LongAttention.firstKey(side, i, queries, keys), i -> LongAttention.endKey(side, i, queries, keys));
        Verdict.agree(reference.expected(inputs), reference.sampled(out.segment().toArray(ValueLayout.JAVA_FLOAT)),
                AttentionReference.TOLERANCE);
        if (queries == LongAttention.LONGEST && before.isPresent() && after.isPresent()) {
            Verdict.measured(LongAttention.ADDED_MEMORY.key(), (after.getAsLong() - before.getAsLong()) / 1e3);
        }
    }

    /** The most that was ever resident, in kB; empty where the system does not say. */
    private static OptionalLong peakKilobytes() throws IOException {
        if (!Files.isReadable(STATUS)) {
            return OptionalLong.empty();
        }
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst();
    }

    /** Frees them. */
    @TearDown
    public void close() {
        if (attention != null) {
            attention.close();
            arena.close();
            engine.close();
        }
    }

    /** Computes all queries. */
    @Benchmark
    public void attend() {
        attention.run(tensors);
    }
}
