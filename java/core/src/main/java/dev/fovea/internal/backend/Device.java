package dev.fovea.internal.backend;

import dev.fovea.CallListener;
import dev.fovea.Engine;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An engine as the layers above the backends see it: memory of its own, and plans compiled for it.
 *
 * <p>Nothing outside a backend reads or writes a device's memory but through these methods, even where it happens to
 * be the memory of the host. A backend is a package that implements this and, for {@link Engine#create}, an {@link
 * dev.fovea.EngineProvider}.
 */
public interface Device extends Engine {
    /** The device behind an engine. */
    static Device of(Engine engine) {
        return (Device) engine;
    }

    /** What hears of the calls of models on it; null for none. */
    default CallListener listener() {
        return null;
    }

    /**
     * Zeroed memory, aligned to 64 bytes. Whoever asks for it closes it.
     *
     * @throws OutOfMemoryError if the device has not as much left
     * @throws IllegalStateException if the engine is closed
     */
    DeviceMemory allocate(long bytes);

    /** Whether pages of all layers of a cache may lie among each other in one piece of memory. */
    default boolean mixesLayers() {
        return false;
    }

    /** Copies all of {@code source} to {@code target}, from byte {@code offset} on. */
    void upload(MemorySegment source, DeviceMemory target, long offset);

    /** Fills {@code target} from byte {@code offset} of {@code source} on. */
    void download(DeviceMemory source, long offset, MemorySegment target);

    /** Copies bytes from one place of the device to another; they do not overlap. Allocates nothing on the heap. */
    void copy(DeviceMemory source, long sourceOffset, DeviceMemory target, long targetOffset, long bytes);

    /**
     * Makes a plan ready to run: weights are packed and constants are brought to the device.
     *
     * @throws IllegalArgumentException if the device cannot keep the weights as the plan asks
     * @throws IllegalStateException if the engine, or the arena of a constant, is closed
     */
    Program compile(LoweredPlan plan);

    /**
     * Whether no value of a weight in memory of the host is infinite or NaN. The integers of scaled layouts are finite.
     *
     * @param weight dense, in its own order
     * @throws IllegalStateException if the engine is closed
     */
    default boolean isFinite(Weight weight) {
        return FiniteValues.areFinite(weight);
    }

    /** Attention on tensors of the host, call by call; what it holds lives in {@code arena}. For one thread at a time. */
    DirectAttention attention(Arena arena);
}
