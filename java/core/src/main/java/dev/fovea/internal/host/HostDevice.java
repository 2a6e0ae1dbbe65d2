package dev.fovea.internal.host;

import dev.fovea.CallListener;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.backend.EngineText;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.lifetime.Owner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A device whose memory is that of the host: all that its backends share beside the {@link Kernels}. */
public abstract class HostDevice implements Device {
    private final Owner owner;
    private final CallListener listener;

    /** A device that {@code owner} frees. */
    protected HostDevice(Owner owner, EngineOptions options) {
        this.owner = owner;
        this.listener = options.listener();
    }

    /** The device behind an engine. */
    public static HostDevice of(Engine engine) {
        return (HostDevice) engine;
    }

    /** Kernels that trust their arguments, for one thread at a time; what they hold lives in {@code arena}. */
    public abstract Kernels kernels(Arena arena);

    /** Zeroed memory in {@code arena}, aligned to {@link Kernels#ALIGNMENT}, that is fast to get and to stream. */
    public abstract MemorySegment allocate(Arena arena, long bytes);

    /** Kernels that check all their arguments in every call. */
    public final CheckedKernels checkedKernels(Arena arena) {
        enter();
        try {
            return new CheckedKernels(owner, kernels(arena));
        } finally {
            exit();
        }
    }

    /** Keeps the engine open until {@link #exit}. */
    public final void enter() {
        owner.enter();
    }

    /** Ends what {@link #enter} began. */
    public final void exit() {
        owner.exit();
    }

    /** A caller begins to run a program; others may run at the same time. The engine is open. */
    protected void runBegins() {}

    /** It has ended, well or not. */
    protected void runEnded() {}

    @Override
    public final CallListener listener() {
        return listener;
    }

    @Override
    public final DirectAttention attention(Arena arena) {
        return checkedKernels(arena);
    }

    @Override
    public final DeviceMemory allocate(long bytes) {
        enter();
        try {
            return HostMemory.allocate(this, bytes);
        } finally {
            exit();
        }
    }

    @Override
    public final boolean mixesLayers() {
        return true;
    }

    /** Where memory of this device lies. */
    protected MemorySegment segment(DeviceMemory memory) {
        return HostMemory.segment(memory);
    }

    @Override
    public final void upload(MemorySegment source, DeviceMemory target, long offset) {
        MemorySegment.copy(source, 0, segment(target), offset, source.byteSize());
    }

    @Override
    public final void download(DeviceMemory source, long offset, MemorySegment target) {
        MemorySegment.copy(segment(source), offset, target, 0, target.byteSize());
    }

    @Override
    public final void copy(DeviceMemory source, long sourceOffset, DeviceMemory target, long targetOffset, long bytes) {
        MemorySegment.copy(segment(source), sourceOffset, segment(target), targetOffset, bytes);
    }

    @Override
    public final Program compile(LoweredPlan plan) {
        enter();
        try {
            return HostProgram.compile(this, plan);
        } finally {
            exit();
        }
    }

    @Override
    public final void close() {
        owner.closeIfIdle();
    }

    @Override
    public final String toString() {
        return EngineText.of(this);
    }
}
