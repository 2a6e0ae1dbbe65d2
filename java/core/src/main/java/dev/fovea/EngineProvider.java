package dev.fovea;

import java.util.Optional;

/**
 * Makes the engines of one backend. Implemented by Fovea's own backends; {@link Engine#create} is what users call.
 */
public interface EngineProvider {
    /**
     * An engine with these options.
     *
     * @throws IllegalArgumentException if the ISA asked for does not exist or does not run here
     * @throws UnsupportedOperationException if the backend is not available here; the message says why
     */
    Engine create(EngineOptions options);

    /** Why the backend is not available on this machine, in one line; empty where it is. */
    Optional<String> unavailable();
}
