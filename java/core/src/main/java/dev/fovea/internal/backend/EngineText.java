package dev.fovea.internal.backend;

import dev.fovea.Engine;

/** What an engine is, in a few words. */
public final class EngineText {
    private EngineText() {}

    /** Such as {@code NATIVE engine (avx2, 4 threads)}. */
    public static String of(Engine engine) {
        return engine.backend() + " engine (" + engine.isa() + ", " + engine.threads()
                + (engine.threads() == 1 ? " thread)" : " threads)");
    }
}
