package dev.fovea.bench.attention;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.bench.natives.BlasEnvironment;
import dev.fovea.bench.natives.StudyLibrary;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Two matrix products by OpenBLAS with a softmax between them: the scores of all heads go through memory. */
final class UnfusedSide implements AttentionSide {
    private static final MethodHandle SOFTMAX = StudyLibrary.function("fb_softmax",
            FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS));

    private final Arena arena = Arena.ofShared();
    private final AttentionWork work;
    private final String blasKernels;
    private final Engine engine;
    private final Kernels kernels;
    private final MemorySegment isa;
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final Tensor scores; // [heads, tokens, tokens]
    private final Tensor out;

    UnfusedSide(AttentionWork work, AttentionInputs inputs) {
        this.work = work;
        blasKernels = BlasEnvironment.clear();
        engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(work.threads()));
        kernels = HostDevice.of(engine).kernels(arena);
        isa = arena.allocateFrom(engine.isa());
        query = Tensor.copyOf(arena, inputs.query(), work.heads(), work.tokens(), work.headDim());
        key = Tensor.copyOf(arena, inputs.key(), work.heads(), work.tokens(), work.headDim());
        value = Tensor.copyOf(arena, inputs.value(), work.heads(), work.tokens(), work.headDim());
        scores = Tensor.allocate(arena, DType.F32, Shape.of(work.heads(), work.tokens(), work.tokens()));
        out = Tensor.allocate(arena, DType.F32, query.shape());
    }

    @Override
    public void attend() {
        kernels.matmul(query, key, true, work.scale(), scores);
        Parallel.run(work.threads(), work.heads() * work.tokens(), this::softmax);
        kernels.matmul(scores, value, false, 1f, out);
    }

    private void softmax(int worker, int begin, int end) {
        try {
            SOFTMAX.invokeExact(isa, (long) begin, (long) end - begin, work.tokens(), work.causal() ? 1 : 0,
                    scores.segment());
        } catch (Throwable e) {
            throw new IllegalStateException("fb_softmax", e);
        }
    }

    @Override
    public float[] result() {
        return out.segment().toArray(JAVA_FLOAT);
    }

    @Override
    public long scratchBytes() {
        return scores.segment().byteSize();
    }

    @Override
    public String setting() {
        return "products on Fovea's threads, softmax in C for " + engine.isa() + ", [heads, tokens, head_dim]; "
                + blasKernels;
    }

    @Override
    public String version() {
        return engine.blas();
    }

    @Override
    public void close() {
        arena.close();
        engine.close();
    }
}
