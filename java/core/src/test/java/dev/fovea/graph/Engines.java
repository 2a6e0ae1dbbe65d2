package dev.fovea.graph;

import dev.fovea.Backend;
import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.RecordingEngine;
import java.util.ArrayList;
import java.util.List;

/** One engine per backend that runs here. Their threads are daemons; they live as long as the tests. */
final class Engines {
    private static final List<Engine> ALL = create();

    private Engines() {}

    static List<Engine> all() {
        return ALL;
    }

    /** Those whose weights are in memory of the host, in any of its types. */
    static List<Engine> cpus() {
        return ALL.stream().filter(engine -> engine.backend() != Backend.CUDA).toList();
    }

    static Engine java() {
        return ALL.getFirst();
    }

    private static List<Engine> create() {
        var options = EngineOptions.defaults();
        List<Engine> engines = new ArrayList<>();
        engines.add(Engine.create(options.withBackend(Backend.JAVA).withThreads(1)));
        if (Engine.unavailable(Backend.VECTOR).isEmpty()) {
            engines.add(Engine.create(options.withBackend(Backend.VECTOR).withThreads(1)));
        }
        engines.add(RecordingEngine.create());
        if (EmulatedGpu.isThere()) {
            engines.add(EmulatedGpu.engine());
        }
        try {
            engines.add(Engine.create(options.withBackend(Backend.NATIVE).withThreads(2)));
        } catch (UnsupportedOperationException e) {
            System.getLogger(Engines.class.getName()).log(System.Logger.Level.INFO, "native engine untested: {0}",
                    e.getMessage());
        }
        return List.copyOf(engines);
    }
}
