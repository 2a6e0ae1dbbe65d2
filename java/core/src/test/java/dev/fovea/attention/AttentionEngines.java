package dev.fovea.attention;

import dev.fovea.Backend;
import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.RecordingEngine;
import java.util.ArrayList;
import java.util.List;

/**
 * One engine for every backend, kernel table and number of threads that runs here. Their threads are daemons; they
 * live as long as the tests.
 */
final class AttentionEngines {
    private static final List<Engine> ALL = create();

    private AttentionEngines() {}

    /** Engines of one kernel table stand next to each other. */
    static List<Engine> all() {
        return ALL;
    }

    /** All but the emulated GPU. */
    static List<Engine> cpus() {
        return ALL.stream().filter(each -> each.backend() != Backend.CUDA).toList();
    }

    /** One engine per backend, the native one with two threads. */
    static List<Engine> perBackend() {
        return ALL.stream()
                .filter(each -> each.backend() != Backend.NATIVE
                        || each.threads() == 2 && each.isa().equals(each.availableIsas().getLast()))
                .toList();
    }

    /** What failure messages call an engine. */
    static String name(Engine engine) {
        return engine.isa() + " with " + engine.threads() + " threads";
    }

    private static List<Engine> create() {
        var options = EngineOptions.defaults().withSpinMicros(0);
        List<Engine> engines = new ArrayList<>();
        engines.add(Engine.create(options.withBackend(Backend.JAVA).withThreads(1)));
        if (Engine.unavailable(Backend.VECTOR).isEmpty()) {
            engines.add(Engine.create(options.withBackend(Backend.VECTOR).withThreads(1)));
        }
        engines.add(RecordingEngine.create());
        if (EmulatedGpu.isThere()) {
            engines.add(EmulatedGpu.engine());
        }
        if (Engine.unavailable(Backend.NATIVE).isEmpty()) {
            options = options.withBackend(Backend.NATIVE);
            List<String> isas;
            try (var best = Engine.create(options.withThreads(1))) {
                isas = best.availableIsas();
            }
            for (String isa : isas) {
                for (int threads : isa.equals(isas.getLast()) ? new int[] {1, 2, 4} : new int[] {1, 2}) {
                    engines.add(Engine.create(options.withIsa(isa).withThreads(threads)));
                }
            }
        }
        return List.copyOf(engines);
    }
}
