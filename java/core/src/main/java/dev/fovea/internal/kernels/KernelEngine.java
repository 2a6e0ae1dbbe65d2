package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.natives.NativeLibraryException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** An engine as the graph sees it: the source of kernels. */
public abstract sealed class KernelEngine implements Engine permits NativeEngine, JavaEngine {
    /** The engine that {@code options} ask for; see {@link Engine#create(EngineOptions)}. */
    public static KernelEngine create(EngineOptions options) {
        if (options.backend() == null) {
            return nativeOrPlain(options);
        }
        return switch (options.backend()) {
            case NATIVE -> {
                try {
                    yield new NativeEngine(options);
                } catch (NativeLibraryException e) {
                    throw notAvailable("native", e.getMessage(), e);
                }
            }
            case JAVA -> JavaEngine.plain(options);
            case VECTOR -> {
                String reason = JavaEngine.vectorUnavailable();
                if (reason != null) {
                    throw notAvailable("Vector API", reason, null);
                }
                yield JavaEngine.vector(options);
            }
        };
    }

    private static KernelEngine nativeOrPlain(EngineOptions options) {
        try {
            return new NativeEngine(options);
        } catch (NativeLibraryException e) {
            Fallback.log(e.getMessage());
            return JavaEngine.plain(options);
        }
    }

    private static UnsupportedOperationException notAvailable(String backend, String reason, Throwable cause) {
        return new UnsupportedOperationException("the " + backend + " backend is not available: " + reason, cause);
    }

    /** See {@link Engine#unavailable}. */
    public static Optional<String> unavailable(Backend backend) {
        return switch (backend) {
            case NATIVE -> {
                try {
                    NativeEngine.load();
                    yield Optional.empty();
                } catch (NativeLibraryException e) {
                    yield Optional.of(e.getMessage());
                }
            }
            case JAVA -> Optional.empty();
            case VECTOR -> Optional.ofNullable(JavaEngine.vectorUnavailable());
        };
    }

    /** Says once per process why the native backend is not used. */
    private static final class Fallback {
        private static final AtomicBoolean LOGGED = new AtomicBoolean();

        static void log(String reason) {
            if (LOGGED.compareAndSet(false, true)) {
                System.getLogger("dev.fovea").log(System.Logger.Level.WARNING,
                        "using the plain Java backend, the native one is not available: {0}", reason);
            }
        }
    }

    /** The kernels of an engine. */
    public static KernelEngine of(Engine engine) {
        return (KernelEngine) engine;
    }

    /**
     * Kernels for one session. They serve one thread at a time; what they hold lives in {@code arena}.
     */
    public abstract Kernels kernels(Arena arena);

    static IllegalArgumentException unknownIsa(String isa, List<String> available) {
        return new IllegalArgumentException("isa " + isa + " does not run here; available: " + available);
    }
}
