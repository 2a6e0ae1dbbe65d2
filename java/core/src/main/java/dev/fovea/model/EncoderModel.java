package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** A loaded encoder: its settings, its compiled graph, and everything that must be freed with it. */
final class EncoderModel {
    private final String name;
    private final BertConfig bert;
    private final SentenceConfig sentence;
    private final LengthPolicy lengthPolicy;
    private final WeightType weightType;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Plan plan;
    private final Lifetime lifetime;

    /** What to close, last opened first. */
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    /** Loads the model in {@code directory}; what it opens is closed again if that fails. */
    EncoderModel(String name, Path directory, EncoderOptions options) throws IOException {
        this.name = name;
        this.lengthPolicy = options.lengthPolicy();
        this.weightType = options.weights();
        this.lifetime = new Lifetime("encoder of " + name, this::free);
        try {
            ModelFiles files = ModelFiles.in(directory);
            // The tokenizer, which allocates most, on this thread: malloc keeps what is freed for the thread it was for.
            Loading<Weights> weights = own(new Loading<>("weights", () -> Weights.open(files.weights())));
            Loading<Engine> ownEngine = options.engine() != null ? null
                    : own(new Loading<>("engine", () -> Engine.create(options.engineOptions())));
            bert = BertConfig.read(files.config());
            tokenizer = own(Tokenizer.load(files.tokenizer()));
            requireFit(files);
            int specials = tokenizer.prefix().length + tokenizer.suffix().length;
            sentence = SentenceConfig.read(directory, bert, specials);
            engine = ownEngine != null ? ownEngine.get() : options.engine();
            plan = own(compile(weights.get()));
        } catch (Throwable e) {
            free();
            throw e;
        }
    }

    /** The name that it was loaded by, or the directory's. */
    String name() {
        return name;
    }

    /** Components of a vector. */
    int dimension() {
        return bert.hidden();
    }

    /** Ids are below this. */
    int vocabulary() {
        return bert.vocabulary();
    }

    /** Tokens that the model takes, special tokens included. */
    int maxTokens() {
        return sentence.maxTokens();
    }

    /** What becomes of token vectors. */
    SentenceConfig sentence() {
        return sentence;
    }

    /** What happens to texts of too many tokens. */
    LengthPolicy lengthPolicy() {
        return lengthPolicy;
    }

    /** What the weights of linear layers are kept as. */
    WeightType weightType() {
        return weightType;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    Engine engine() {
        return engine;
    }

    /** Who uses the model enters; closing it frees it after the last has left. */
    Lifetime lifetime() {
        return lifetime;
    }

    /** Closes with the model, before what was opened earlier. */
    <T extends AutoCloseable> T own(T resource) {
        owned.push(resource);
        return resource;
    }

    /** Whether sessions have the vectors before normalisation as a second output. */
    boolean keepsPooled() {
        return lengthPolicy == LengthPolicy.CHUNK_MEAN;
    }

    /** A session of the compiled graph. */
    Session newSession(int maxTokens, int maxSequences) {
        return plan.newSession(maxTokens, maxSequences);
    }

    /** A session of the same steps that also keeps the patterns, for one sequence of this many tokens. */
    Session newExplainingSession(int tokens) {
        return plan.newExplainingSession(tokens, 1);
    }

    private Plan compile(Weights weights) throws FormatException {
        Arena arena = own(Arena.ofShared());
        try (Arena scratch = Arena.ofConfined()) {
            Graph graph = new Bert(bert, weights, arena, scratch)
                    .graph(sentence.pooling(), sentence.normalize(), keepsPooled());
            return Plan.compile(graph, engine, weightType.dtype());
        }
    }

    private void requireFit(ModelFiles files) throws FormatException {
        if (tokenizer.vocabularySize() > bert.vocabulary()) {
            throw new FormatException(files.tokenizer(), -1, "vocabulary", "expected ids below the vocab_size "
                    + bert.vocabulary() + " of config.json, got " + (tokenizer.vocabularySize() - 1));
        }
    }

    private void free() {
        IllegalStateException failure = null;
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                failure = failure != null ? failure : new IllegalStateException(name + " could not be freed");
                failure.addSuppressed(e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
