package dev.fovea.internal.vector;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.EngineProvider;
import dev.fovea.internal.java.JavaEngine;
import dev.fovea.internal.lifetime.Owner;
import java.util.Optional;

/** An engine in Java on the Vector API. */
public final class VectorEngine extends JavaEngine {
    private static final String MODULE = "jdk.incubator.vector";

    private VectorEngine(Owner owner, EngineOptions options) {
        super(owner, options, Backend.VECTOR, "vector", VectorTile::of);
    }

    /** Where the JVM was started with the module, on a CPU with vectors that are worth it. */
    public static final class Provider implements EngineProvider {
        /** For the registry. */
        public Provider() {}

        @Override
        public Engine create(EngineOptions options) {
            Optional<String> reason = unavailable();
            if (reason.isPresent()) {
                throw new UnsupportedOperationException("the Vector API backend is not available: " + reason.get());
            }
            return Owner.create("engine", owner -> new VectorEngine(owner, options));
        }

        @Override
        public Optional<String> unavailable() {
            // A resolved module of an incubator makes the JVM print a warning: only who starts the JVM asks for it.
            Optional<Module> module = ModuleLayer.boot().findModule(MODULE);
            if (module.isEmpty()) {
                return Optional.of("the JVM was started without --add-modules " + MODULE);
            }
            // Our module's descriptor does not name it, or javac would warn everyone who compiles against that.
            VectorEngine.class.getModule().addReads(module.get());
            return Optional.ofNullable(VectorTile.unavailable());
        }
    }
}
