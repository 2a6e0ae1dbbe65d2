package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;

/** An engine as the graph sees it: the source of kernels. */
public abstract sealed class KernelEngine implements Engine permits NativeEngine, JavaEngine {
    /** The engine that {@code options} ask for. */
    public static KernelEngine create(EngineOptions options) {
        throw new UnsupportedOperationException("not yet");
    }

    /** The kernels of an engine. */
    public static KernelEngine of(Engine engine) {
        return switch (engine) {
            case KernelEngine kernelEngine -> kernelEngine;
        };
    }

    /**
     * Kernels for one session. They serve one thread at a time; what they hold lives in {@code arena}.
     */
    public abstract Kernels kernels(Arena arena);
}
