package dev.fovea.internal.host;

import dev.fovea.Engine;
import dev.fovea.RecordingEngine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;

/** The kernels of an engine, which check all their arguments: what every backend's contract tests call. */
public final class TestKernels {
    private TestKernels() {}

    public static Kernels of(Engine engine, Arena arena) {
        return engine instanceof RecordingEngine recording ? recording.stagedKernels(arena)
                : HostDevice.of(engine).checkedKernels(arena);
    }

    static PackedLinear pack(Kernels kernels, Arena arena, Tensor weight, DType dtype) {
        return kernels.pack(arena, weight(weight), dtype == null ? null : Layout.of(dtype));
    }

    static Weight weight(Tensor tensor) {
        return tensor == null ? null : Weight.of(tensor);
    }
}
