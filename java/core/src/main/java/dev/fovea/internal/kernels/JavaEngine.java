package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/** Plain Java: on any platform, without flags. It starts no threads; every call runs in its caller. */
final class JavaEngine extends KernelEngine {
    private static final int CLOSED = -1;
    private static final String ISA = "java";

    /** Calls that run, or {@link #CLOSED}. */
    private final AtomicInteger calls = new AtomicInteger();

    JavaEngine(EngineOptions options) {
        String isa = options.isa();
        if (isa != null && !isa.equals(ISA)) {
            throw unknownIsa(isa, availableIsas());
        }
    }

    /** New loops for one session, on rows of this width. */
    FloatTile loops(int width) {
        return new ScalarTile(width);
    }

    @Override
    public Backend backend() {
        return Backend.JAVA;
    }

    @Override
    public int threads() {
        return 1;
    }

    @Override
    public String isa() {
        return ISA;
    }

    @Override
    public List<String> availableIsas() {
        return List.of(ISA);
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
