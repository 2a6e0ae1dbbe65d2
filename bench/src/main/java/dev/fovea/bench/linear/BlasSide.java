package dev.fovea.bench.linear;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.bench.natives.BlasEnvironment;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/** OpenBLAS's general product, through Fovea's matmul: it packs the weight anew in each call. */
final class BlasSide implements LinearSide {
    private final Arena arena = Arena.ofShared();
    private final String blasKernels;
    private final Engine engine;
    private final Kernels kernels;
    private final Tensor x;
    private final Tensor weight;
    private final Tensor out;

    BlasSide(LinearWork work, float[] x, float[] weight) {
        int threads = work.threads();
        if (work.rows() % threads != 0) {
            throw new IllegalArgumentException("expected rows in multiples of " + threads + ", got " + work.rows());
        }
        blasKernels = BlasEnvironment.clear();
        engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(threads));
        kernels = HostDevice.of(engine).kernels(arena);
        // A product of its own for each thread, all with one weight: matmul alone would share out blocks of 256 rows.
        int rows = work.rows() / threads;
        this.x = Tensor.copyOf(arena, x, threads, rows, work.inputs());
        Tensor dense = Tensor.copyOf(arena, weight, work.outputs(), work.inputs());
        this.weight = Tensor.of(dense.segment(), DType.F32, Shape.of(threads, work.outputs(), work.inputs()), 0,
                work.inputs(), 1);
        out = Tensor.allocate(arena, DType.F32, Shape.of(threads, rows, work.outputs()));
    }

    @Override
    public void multiply() {
        kernels.matmul(x, weight, true, 1f, out);
    }

    @Override
    public float[] result() {
        return out.segment().toArray(JAVA_FLOAT);
    }

    @Override
    public String setting() {
        return "cblas_sgemm on " + engine.threads() + " of Fovea's threads, a share of the rows each; "
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
