package dev.fovea.internal.java;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.EngineProvider;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.lifetime.Owner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;

/** An engine in Java: plain, or on the loops of a subclass. It starts no threads; every call runs in its caller. */
public class JavaEngine extends HostDevice {
    private final Backend backend;
    private final String isa;
    private final IntFunction<FloatTile> loops;

    /** An engine whose inner loops, for rows of a width, are those that {@code loops} makes. */
    protected JavaEngine(Owner owner, EngineOptions options, Backend backend, String isa,
            IntFunction<FloatTile> loops) {
        super(owner, options);
        this.backend = backend;
        this.isa = isa;
        this.loops = loops;
        if (options.isa() != null && !options.isa().equals(isa)) {
            throw new IllegalArgumentException(
                    "isa " + options.isa() + " does not run here; available: " + availableIsas());
        }
    }

    /** Plain Java: on any platform, without flags. */
    public static final class Provider implements EngineProvider {
        /** For the registry. */
        public Provider() {}

        @Override
        public Engine create(EngineOptions options) {
            return Owner.create("engine", owner ->
                    new JavaEngine(owner, options, Backend.JAVA, "java", ScalarTile::new));
        }

        @Override
        public Optional<String> unavailable() {
            return Optional.empty();
        }
    }

    /** New loops for one session, on rows of this width. */
    FloatTile loops(int width) {
        return loops.apply(width);
    }

    @Override
    public final Backend backend() {
        return backend;
    }

    @Override
    public final int threads() {
        return 1;
    }

    @Override
    public final String isa() {
        return isa;
    }

    @Override
    public final List<String> availableIsas() {
        return List.of(isa);
    }

    @Override
    public final String blas() {
        return "none";
    }

    @Override
    public final Kernels kernels(Arena arena) {
        Objects.requireNonNull(arena, "arena");
        return new JavaKernels(this);
    }

    @Override
    public final MemorySegment allocate(Arena arena, long bytes) {
        return arena.allocate(bytes, Kernels.ALIGNMENT);
    }
}
