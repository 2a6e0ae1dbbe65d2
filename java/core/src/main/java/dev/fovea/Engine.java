package dev.fovea;

import java.util.List;
import java.util.Optional;

/**
 * What computes: a backend, its kernels and its threads. Safe to share between threads; models and
 * sessions are made on one.
 *
 * <p>Fovea's backends implement it; no one else can.
 *
 * <p>Callers that meet on one engine never wait for each other: a call that finds the threads busy, or meets so many others
 * that they fill them, does its work alone, with the same bits as result. An idle engine uses no CPU.
 */
public interface Engine extends AutoCloseable {
    /** An engine with {@link EngineOptions#defaults()}. */
    static Engine create() {
        return create(EngineOptions.defaults());
    }

    /**
     * An engine with these options.
     *
     * @throws IllegalArgumentException if the ISA asked for does not exist or does not run here
     * @throws UnsupportedOperationException if the backend asked for is not available here; the message
     *     says why
     */
    static Engine create(EngineOptions options) {
        return Backends.create(options);
    }

    /** Why {@code backend} is not available on this machine, in one line; empty where it is. */
    static Optional<String> unavailable(Backend backend) {
        return Backends.unavailable(backend);
    }

    /** What does the arithmetic. */
    Backend backend();

    /** Threads of the host that share one call, the caller included. */
    int threads();

    /**
     * The kernel table in use, such as {@code "avx2"}; {@code "java"} or {@code "vector"} on those in Java, and on a GPU
     * its compute capability, such as {@code "sm_90"}.
     */
    String isa();

    /** The kernel tables that this machine could run, best last. */
    List<String> availableIsas();

    /**
     * The BLAS behind general matrix products, in its own words; {@code "none"} where they are Fovea's own, as on the
     * backends in Java and on a GPU, and {@code "unavailable: "} with the reason where it does not load.
     */
    String blas();

    /** What it runs on: {@code "CPU"}, or a GPU's name, its memory, and the CUDA version that its driver speaks. */
    default String device() {
        return "CPU";
    }

    /**
     * Stops the threads and frees the engine. Idempotent. Models made on it must be closed before.
     *
     * @throws IllegalStateException if a call is running on it
     */
    @Override
    void close();
}
