package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.tensor.WeightStorage;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.util.concurrent.Callable;

/**
 * The parts of a model that other threads load while its own reads the tokenizer and compiles the plan: the engine, the
 * weights' file, and what the model takes of it, which is checked last. The owner closes them.
 */
final class LoadedParts {
    /** Finds what a model takes of a file. */
    @FunctionalInterface
    interface Finder {
        EncoderConfig.Weighted find(Weights file) throws IOException;
    }

    private final Owner owner;
    private final StartingEngine engine;
    private Loading<Weights> file;
    private Loading<EncoderConfig.Weighted> found;
    private Loading<Void> check;

    /** Starts an engine, unless the options have one. */
    LoadedParts(Owner owner, EncoderOptions options) {
        this.owner = owner;
        this.engine = new StartingEngine(owner, options.engine(), options.engineOptions());
    }

    /** Starts to open the file. */
    void open(Callable<Weights> opener) {
        file = owner.own(new Loading<>("weights", opener));
    }

    /** Starts to find weights in the file, and to look whether they are finite, which reads most of it. */
    void find(Finder finder) {
        found = owner.own(new Loading<>("weights-names", () -> finder.find(file.get())));
        check = owner.own(new Loading<>("weights-check", () -> {
            found.get().requireFinite(file.get(), engine());
            return null;
        }));
    }

    /** The engine, once it is there. */
    Engine engine() throws IOException {
        return engine.get();
    }

    /** The weights' file, once it is open. */
    Weights file() throws IOException {
        return file.get();
    }

    /** The weights, once they are found. */
    EncoderConfig.Weighted found() throws IOException {
        return found.get();
    }

    /**
     * The plan of the weights, once they are known to be finite. Where they are not, that is said, whatever else goes wrong
     * with them.
     */
    Plan compile(Graph graph, WeightStorage weights) throws IOException {
        Plan plan;
        try {
            plan = owner.own(Plan.compile(graph, engine(), weights));
        } catch (RuntimeException e) {
            check.get();
            throw e;
        }
        check.get();
        return plan;
    }
}
