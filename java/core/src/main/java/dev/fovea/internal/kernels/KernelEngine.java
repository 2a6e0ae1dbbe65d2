package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;

/** An engine as the graph sees it: the source of kernels. */
public abstract sealed class KernelEngine implements Engine permits JavaEngine {
    /** The engine that {@code options} ask for; see {@link Engine#create(EngineOptions)}. */
    public static KernelEngine create(EngineOptions options) {
        if (options.backend() == Backend.NATIVE) {
            throw new UnsupportedOperationException(
                    "the native backend is not available: " + unavailable(Backend.NATIVE).orElseThrow());
        }
        return new JavaEngine(options);
    }

    /** See {@link Engine#unavailable}. */
    public static Optional<String> unavailable(Backend backend) {
        return switch (backend) {
            case JAVA -> Optional.empty();
            case NATIVE -> Optional.of("this build holds no native library");
        };
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

    static IllegalArgumentException unknownIsa(String isa, List<String> available) {
        return new IllegalArgumentException("isa " + isa + " does not run here; available: " + available);
    }
}
