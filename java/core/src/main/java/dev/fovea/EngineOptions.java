package dev.fovea;

import java.util.Objects;

/**
 * How an engine runs. Immutable; each {@code with…} gives a copy.
 *
 * @param backend what does the arithmetic; {@code null} for {@link Backend#NATIVE} where its library
 *     loads and {@link Backend#JAVA} elsewhere, never {@link Backend#VECTOR} or {@link Backend#CUDA}
 * @param threads threads that share one call, the caller included; 0 for as many as the process may
 *     use. 1 starts no thread: the latency mode of a service that has a thread per request.
 * @param spinMicros microseconds that an idle worker spins before it sleeps; 0 sleeps at once, −1 is
 *     the library's default: 50, or 0 with more threads than processors
 * @param isa the kernel table, such as {@code "avx2"}; {@code null} for what the environment variable
 *     {@code FOVEA_ISA} says, else the best that this CPU runs
 * @param device the number of the GPU, from 0, as the driver counts them; {@link Backend#CUDA} alone reads it
 * @param deviceMemory the most bytes of the GPU's memory that the engine takes; 0 for no limit but the GPU's
 * @param listener what hears of the calls of all models on the engine; {@code null} for none
 */
public record EngineOptions(Backend backend, int threads, int spinMicros, String isa, int device, long deviceMemory,
        CallListener listener) {
    /** The most threads an engine takes. */
    public static final int MAX_THREADS = 1024;

    /** The longest spin, in microseconds. */
    public static final int MAX_SPIN_MICROS = 1_000_000;

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public EngineOptions {
        if (threads < 0 || threads > MAX_THREADS) {
            throw new IllegalArgumentException("threads must be 0 to " + MAX_THREADS + ", got " + threads);
        }
        if (spinMicros < -1 || spinMicros > MAX_SPIN_MICROS) {
            throw new IllegalArgumentException("spinMicros must be -1 to " + MAX_SPIN_MICROS + ", got " + spinMicros);
        }
        if (device < 0) {
            throw new IllegalArgumentException("device must be at least 0, got " + device);
        }
        if (deviceMemory < 0) {
            throw new IllegalArgumentException("deviceMemory must be at least 0, got " + deviceMemory);
        }
    }

    /** Everything chosen by the library. */
    public static EngineOptions defaults() {
        return new EngineOptions(null, 0, -1, null, 0, 0, null);
    }

    /** A copy with another backend. */
    public EngineOptions withBackend(Backend backend) {
        Objects.requireNonNull(backend, "backend");
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy with another number of threads. */
    public EngineOptions withThreads(int threads) {
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy with another spin. */
    public EngineOptions withSpinMicros(int spinMicros) {
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy with another kernel table. */
    public EngineOptions withIsa(String isa) {
        Objects.requireNonNull(isa, "isa");
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy for another GPU. */
    public EngineOptions withDevice(int device) {
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy with another bound of the GPU's memory, in bytes; 0 for none. */
    public EngineOptions withDeviceMemory(long deviceMemory) {
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }

    /** A copy whose models tell {@code listener} of their calls, also when they run at the same time. */
    public EngineOptions withListener(CallListener listener) {
        Objects.requireNonNull(listener, "listener");
        return new EngineOptions(backend, threads, spinMicros, isa, device, deviceMemory, listener);
    }
}
