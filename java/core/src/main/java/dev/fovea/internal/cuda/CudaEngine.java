package dev.fovea.internal.cuda;

import dev.fovea.Backend;
import dev.fovea.CallListener;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.EngineProvider;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.backend.EngineText;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.host.CheckedAttention;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.internal.natives.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** An engine on a GPU. It starts no threads; any number of them may call it, each execution on a stream of its own. */
public final class CudaEngine implements Device {
    private final Owner owner;
    private final CallListener listener;
    private final CudaContext context;
    private final String isa;

    private CudaEngine(Owner owner, EngineOptions options) throws NativeLibraryException {
        this.owner = owner;
        this.listener = options.listener();
        this.context = owner.own(CudaContext.open(options));
        this.isa = "sm_" + context.describe().capability();
        if (options.isa() != null && !options.isa().equals(isa)) {
            throw new IllegalArgumentException(
                    "isa " + options.isa() + " does not run here; available: " + availableIsas());
        }
    }

    /** Where there is a GPU, its driver, and the jar of the library. */
    public static final class Provider implements EngineProvider {
        /** For the registry. */
        public Provider() {}

        @Override
        public Engine create(EngineOptions options) {
            try {
                return Owner.create("engine", owner -> new CudaEngine(owner, options));
            } catch (NativeLibraryException e) {
                throw new UnsupportedOperationException("the CUDA backend is not available: " + e.getMessage(), e);
            }
        }

        @Override
        public Optional<String> unavailable() {
            try (CudaContext _ = CudaContext.open(EngineOptions.defaults())) {
                return Optional.empty();
            } catch (NativeLibraryException e) {
                return Optional.of(e.getMessage());
            }
        }
    }

    CudaContext context() {
        return context;
    }

    /** Keeps the engine open until {@link #exit}. */
    void enter() {
        owner.enter();
    }

    void exit() {
        owner.exit();
    }

    @Override
    public CallListener listener() {
        return listener;
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        enter();
        try {
            return CudaMemory.allocate(context, "device memory", bytes);
        } finally {
            exit();
        }
    }

    @Override
    public void upload(MemorySegment source, DeviceMemory target, long offset) {
        enter();
        try {
            ((CudaMemory) target).write(offset, source);
        } finally {
            exit();
        }
    }

    @Override
    public void download(DeviceMemory source, long offset, MemorySegment target) {
        enter();
        try {
            ((CudaMemory) source).read(offset, target);
        } finally {
            exit();
        }
    }

    @Override
    public void copy(DeviceMemory source, long sourceOffset, DeviceMemory target, long targetOffset, long bytes) {
        enter();
        try {
            ((CudaMemory) target).copyFrom((CudaMemory) source, sourceOffset, targetOffset, bytes);
        } finally {
            exit();
        }
    }

    @Override
    public Program compile(LoweredPlan plan) {
        enter();
        try {
            return CudaProgram.compile(this, plan);
        } finally {
            exit();
        }
    }

    @Override
    public DirectAttention attention(Arena arena) {
        enter();
        try {
            return new CheckedAttention(owner, CudaAttention.create(context, arena));
        } finally {
            exit();
        }
    }

    @Override
    public Backend backend() {
        return Backend.CUDA;
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
    public String device() {
        enter();
        try {
            return context.describe().toString();
        } finally {
            exit();
        }
    }

    @Override
    public void close() {
        owner.closeIfIdle();
    }

    @Override
    public String toString() {
        return EngineText.of(this);
    }
}
