package dev.fovea.bench.linear;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;

/** Fovea's linear kernel, without bias and activation, over a weight packed once. */
final class PackedSide implements LinearSide {
    private final Arena arena = Arena.ofShared();
    private final Engine engine;
    private final Kernels kernels;
    private final int rows;
    private final Tensor x;
    private final PackedLinear weight;
    private final Tensor out;

    PackedSide(LinearWork work, float[] x, float[] weight, DType dtype) {
        engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(work.threads()));
        kernels = HostDevice.of(engine).kernels(arena);
        rows = work.rows();
        this.x = Tensor.copyOf(arena, x, work.rows(), work.inputs());
        Tensor dense = Tensor.copyOf(arena, weight, work.outputs(), work.inputs());
        this.weight = kernels.pack((bytes, _) -> HostDevice.of(engine).allocate(arena, bytes), Weight.of(dense), Layout.of(dtype));
        out = Tensor.allocate(arena, DType.F32, Shape.of(work.rows(), work.outputs()));
    }

    @Override
    public void multiply() {
        kernels.linear(rows, x, weight, null, Activation.NONE, null, out);
    }

    @Override
    public float[] result() {
        return out.segment().toArray(JAVA_FLOAT);
    }

    @Override
    public String setting() {
        return "kernel table " + engine.isa() + ", weight packed once as " + weight.kept() + ", "
                + weight.data().byteSize() / 1024 + " KiB";
    }

    @Override
    public void close() {
        arena.close();
        engine.close();
    }
}
