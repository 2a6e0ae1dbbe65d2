package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

/** An engine in Java, of one of two loops. It starts no threads; every call runs in its caller. */
final class JavaEngine extends KernelEngine {
    private static final int CLOSED = -1;
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    /** Calls that run, or {@link #CLOSED}. */
    private final AtomicInteger calls = new AtomicInteger();

    private final Backend backend;
    private final String isa;
    private final IntFunction<FloatTile> loops;

    private JavaEngine(EngineOptions options, Backend backend, String isa, IntFunction<FloatTile> loops) {
        this.backend = backend;
        this.isa = isa;
        this.loops = loops;
        if (options.isa() != null && !options.isa().equals(isa)) {
            throw unknownIsa(options.isa(), availableIsas());
        }
    }

    /** Plain Java: on any platform, without flags. */
    static JavaEngine plain(EngineOptions options) {
        return new JavaEngine(options, Backend.JAVA, "java", ScalarTile::new);
    }

    /** On the Vector API, where {@link #vectorUnavailable} gives no reason against it. */
    static JavaEngine vector(EngineOptions options) {
        return new JavaEngine(options, Backend.VECTOR, "vector", VectorTile::of);
    }

    /** Why the Vector API cannot be used, or null. */
    static String vectorUnavailable() {
        // A resolved module of an incubator makes the JVM print a warning: only who starts the JVM asks for it.
        Optional<Module> module = ModuleLayer.boot().findModule(VECTOR_MODULE);
        if (module.isEmpty()) {
            return "the JVM was started without --add-modules " + VECTOR_MODULE;
        }
        // Our module's descriptor does not name it, or javac would warn everyone who compiles against that.
        JavaEngine.class.getModule().addReads(module.get());
        return VectorTile.unavailable();
    }

    /** New loops for one session, on rows of this width. */
    FloatTile loops(int width) {
        return loops.apply(width);
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public int threads() {
        return 1;
    }

    @Override
    public String isa() {
        return isa;
    }

    @Override
    public List<String> availableIsas() {
        return List.of(isa);
    }

    @Override
    public String blas() {
        return "none";
    }

    @Override
    public Kernels kernels(Arena arena) {
        Objects.requireNonNull(arena, "arena");
        return new JavaKernels(this);
    }

    /** Begins a call, which {@link #exit} ends. */
    void enter() {
        int running = calls.get();
        while (running != CLOSED) {
            if (calls.compareAndSet(running, running + 1)) {
                return;
            }
            running = calls.get();
        }
        throw new IllegalStateException("the engine is closed");
    }

    void exit() {
        calls.decrementAndGet();
    }

    @Override
    public void close() {
        int running = calls.compareAndExchange(0, CLOSED);
        if (running > 0) {
            throw new IllegalStateException("the engine has " + running + " calls running");
        }
    }
}
