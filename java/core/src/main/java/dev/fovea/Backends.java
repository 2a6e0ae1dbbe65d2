package dev.fovea;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The registry of backends: one line each. A backend is named, not referred to, so that nothing of it is loaded
 * before it is asked for, and so that packages depend on each other one way.
 */
final class Backends {
    private static final AtomicBoolean FALLBACK_LOGGED = new AtomicBoolean();

    private Backends() {}

    private static String providerName(Backend backend) {
        return switch (backend) {
            case NATIVE -> "dev.fovea.internal.cpu.NativeEngine$Provider";
            case JAVA -> "dev.fovea.internal.java.JavaEngine$Provider";
            case VECTOR -> "dev.fovea.internal.vector.VectorEngine$Provider";
            case CUDA -> "dev.fovea.internal.cuda.CudaEngine$Provider";
        };
    }

    /** See {@link Engine#create(EngineOptions)}. */
    static Engine create(EngineOptions options) {
        return options.backend() == null ? nativeOrPlain(options) : provider(options.backend()).create(options);
    }

    /** See {@link Engine#unavailable}. */
    static Optional<String> unavailable(Backend backend) {
        return provider(backend).unavailable();
    }

    private static Engine nativeOrPlain(EngineOptions options) {
        EngineProvider natives = provider(Backend.NATIVE);
        Optional<String> reason = natives.unavailable();
        if (reason.isEmpty()) {
            return natives.create(options);
        }
        if (FALLBACK_LOGGED.compareAndSet(false, true)) {
            System.getLogger("dev.fovea").log(System.Logger.Level.WARNING,
                    "using the plain Java backend, the native one is not available: {0}", reason.get());
        }
        return provider(Backend.JAVA).create(options);
    }

    private static EngineProvider provider(Backend backend) {
        try {
            return (EngineProvider) Class.forName(providerName(backend)).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError("backend " + backend + " is not part of this build", e);
        }
    }
}
