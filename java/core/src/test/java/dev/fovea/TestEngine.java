package dev.fovea;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A way to make an engine, for tests that every backend must pass, {@link RecordingEngine} among them. */
public record TestEngine(String name, Supplier<Engine> maker) {
    /** A new engine, which the caller closes. */
    public Engine create() {
        return maker.get();
    }

    /** One per backend that runs here. */
    public static List<TestEngine> perBackend() {
        List<TestEngine> all = new ArrayList<>();
        Stream.of(Backend.values()).filter(backend -> Engine.unavailable(backend).isEmpty())
                .forEach(backend -> all.add(of(EngineOptions.defaults().withBackend(backend))));
        all.add(new TestEngine("recording", RecordingEngine::create));
        return all;
    }

    /** Those, and the emulated GPU: for tests of what needs no kernels of the host. */
    public static List<TestEngine> devices() {
        List<TestEngine> all = new ArrayList<>(perBackend());
        if (EmulatedGpu.isThere()) {
            all.add(new TestEngine("emulated GPU", EmulatedGpu::engine));
        }
        return all;
    }

    /** One per backend, kernel table and number of threads. */
    public static Stream<TestEngine> all() {
        List<TestEngine> all = new ArrayList<>(perBackend());
        if (Engine.unavailable(Backend.NATIVE).isEmpty()) {
            EngineOptions options = EngineOptions.defaults().withBackend(Backend.NATIVE);
            all.removeIf(engine -> engine.name().equals(of(options).name()));
            try (Engine engine = Engine.create(options)) {
                for (String isa : engine.availableIsas()) {
                    for (int threads : new int[] {1, 3}) {
                        all.add(of(options.withIsa(isa).withThreads(threads)));
                    }
                }
            }
        }
        return all.stream();
    }

    private static TestEngine of(EngineOptions options) {
        return new TestEngine(options.toString(), () -> Engine.create(options));
    }

    @Override
    public String toString() {
        return name;
    }
}
