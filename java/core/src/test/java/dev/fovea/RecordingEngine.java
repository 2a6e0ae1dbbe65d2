package dev.fovea;

import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.host.CheckedKernels;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.java.JavaEngine;
import dev.fovea.internal.java.ScalarTile;
import dev.fovea.internal.lifetime.Owner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A third backend, which proves that no layer above the backends takes a device's memory for the host's: its memory is
 * unreadable but through {@link Device}, its constants are uploaded copies, its outputs downloaded ones. It computes by
 * plain Java, and records what it was asked to do.
 */
public final class RecordingEngine implements Device {
    private final Inner inner;
    private final Owner owner;
    private final List<String> records = Collections.synchronizedList(new ArrayList<>());

    private RecordingEngine(Owner owner) {
        this.owner = owner;
        this.inner = owner.own(Owner.create("engine", Inner::new));
    }

    public static RecordingEngine create() {
        return Owner.create("engine", RecordingEngine::new);
    }

    /** Plain Java, which alone sees the memory of this device, and that only during a run. */
    static final class Inner extends JavaEngine {
        Inner(Owner owner) {
            super(owner, EngineOptions.defaults(), Backend.JAVA, "recording", ScalarTile::new);
        }

        @Override
        protected MemorySegment segment(DeviceMemory memory) {
            return memory instanceof RecordingMemory recording ? recording.visible() : super.segment(memory);
        }
    }

    /** What it was asked to do, in order. */
    public List<String> records() {
        return List.copyOf(records);
    }

    void record(String what) {
        records.add(what);
    }

    Inner inner() {
        return inner;
    }

    /** Kernels for tensors of the host: every call uploads its tensors, computes, and downloads its results. */
    public Kernels stagedKernels(Arena arena) {
        owner.enter();
        try {
            return new CheckedKernels(owner, new StagedKernels(inner.kernels(arena)));
        } finally {
            owner.exit();
        }
    }

    @Override
    public DirectAttention attention(Arena arena) {
        return stagedKernels(arena);
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        owner.enter();
        try {
            record("allocate");
            return new RecordingMemory(bytes);
        } finally {
            owner.exit();
        }
    }

    @Override
    public void upload(MemorySegment source, DeviceMemory target, long offset) {
        record("upload");
        ((RecordingMemory) target).write(offset, source);
    }

    @Override
    public void download(DeviceMemory source, long offset, MemorySegment target) {
        record("download");
        ((RecordingMemory) source).read(offset, target);
    }

    @Override
    public void copy(DeviceMemory source, long sourceOffset, DeviceMemory target, long targetOffset, long bytes) {
        record("copy");
        ((RecordingMemory) target).copyFrom((RecordingMemory) source, sourceOffset, targetOffset, bytes);
    }

    @Override
    public Program compile(LoweredPlan plan) {
        owner.enter();
        try {
            record("compile");
            return RecordingProgram.compile(this, plan);
        } finally {
            owner.exit();
        }
    }

    /** Keeps the engine open, and the memory of caches visible to {@link Inner}, while {@code work} runs. */
    void run(List<CacheStore> caches, Runnable work) {
        owner.enter();
        try {
            record("run");
            caches.forEach(cache -> forEachMemory(cache, RecordingMemory::show));
            try {
                work.run();
            } finally {
                caches.forEach(cache -> forEachMemory(cache, RecordingMemory::hide));
            }
        } finally {
            owner.exit();
        }
    }

    private static void forEachMemory(CacheStore cache, java.util.function.Consumer<RecordingMemory> action) {
        for (int layer = 0; layer < cache.layers().size(); layer++) {
            action.accept((RecordingMemory) cache.keys(layer));
            action.accept((RecordingMemory) cache.values(layer));
        }
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
        return "recording";
    }

    @Override
    public List<String> availableIsas() {
        return List.of("recording");
    }

    @Override
    public String blas() {
        return "none";
    }

    @Override
    public void close() {
        owner.closeIfIdle();
    }
}
