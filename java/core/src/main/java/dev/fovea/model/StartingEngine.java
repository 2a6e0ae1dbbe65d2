package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.lifetime.Owner;
import java.io.IOException;

/** A model's engine: the one that its options give, or one that starts on a thread of its own, as that takes longest of all. */
final class StartingEngine {
    private final Engine given;
    private final Loading<Engine> own;

    /**
     * Starts one, unless one is given.
     *
     * @param owner closes the one that is started
     * @param given stays the caller's; null for none
     */
    StartingEngine(Owner owner, Engine given, EngineOptions options) {
        this.given = given;
        this.own = given != null ? null : owner.own(new Loading<>("engine", () -> Engine.create(options)));
    }

    /** The engine, once it is there. */
    Engine get() throws IOException {
        return own == null ? given : own.get();
    }
}
