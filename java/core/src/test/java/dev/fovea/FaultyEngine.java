package dev.fovea;

import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.lifetime.Owner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Supplier;

/** An engine of which one call of a kernel, or one allocation, fails when a test says so. */
public final class FaultyEngine extends HostDevice {
    private final HostDevice inner;
    private int calls;
    private int failing = -1;
    private Supplier<? extends Throwable> failure;

    private FaultyEngine(Owner owner, EngineOptions options) {
        super(owner, options);
        inner = HostDevice.of(owner.own(Engine.create(options)));
    }

    public static FaultyEngine create(EngineOptions options) {
        return Owner.create("engine", owner -> new FaultyEngine(owner, options));
    }

    /** Fails in the call or allocation that {@code after} others precede, counted from now on. */
    public void failAfter(int after, Supplier<? extends Throwable> failure) {
        this.calls = 0;
        this.failing = after;
        this.failure = failure;
    }

    /** Fails no more; returns how many calls and allocations there were. */
    public int recover() {
        failing = -1;
        return calls;
    }

    private void count() throws Throwable {
        if (calls++ == failing) {
            throw failure.get();
        }
    }

    @Override
    public Kernels kernels(Arena arena) {
        Kernels kernels = inner.kernels(arena);
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (_, method, arguments) -> {
                    count();
                    try {
                        return method.invoke(kernels, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public MemorySegment allocate(Arena arena, long bytes) {
        try {
            count();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        return inner.allocate(arena, bytes);
    }

    @Override
    public Backend backend() {
        return inner.backend();
    }

    @Override
    public int threads() {
        return inner.threads();
    }

    @Override
    public String isa() {
        return inner.isa();
    }

    @Override
    public List<String> availableIsas() {
        return inner.availableIsas();
    }

    @Override
    public String blas() {
        return inner.blas();
    }
}
