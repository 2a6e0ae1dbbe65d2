package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A loaded encoder: its settings, its compiled graph, and everything that must be freed with it. */
final class EncoderModel {
    private final String name;
    private final EncoderConfig config;
    private final Description description;
    private final SentenceConfig sentence;
    private final LengthPolicy lengthPolicy;
    private final WeightType weightType;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Plan plan;
    private final Owner owner;

    private EncoderModel(String name, Path directory, EncoderOptions options, Owner owner) throws IOException {
        this.name = name;
        this.lengthPolicy = options.lengthPolicy();
        this.weightType = options.weights();
        this.owner = owner;
        ModelFiles files = ModelFiles.in(directory);
        // The tokenizer, which allocates most, on this thread: malloc keeps what is freed for the thread it was for.
        Loading<Weights> weights = own(new Loading<>("weights", () -> Weights.open(files.weights())));
        Loading<Engine> ownEngine = options.engine() != null ? null
                : own(new Loading<>("engine", () -> Engine.create(options.engineOptions())));
        config = EncoderConfig.read(files.config());
        Description read = config.encoder();
        tokenizer = own(Tokenizer.load(files.tokenizer()));
        requireFit(files, read.vocabulary());
        int specials = tokenizer.prefix().length + tokenizer.suffix().length;
        sentence = readSentence(directory, read, specials);
        description = read.withMaxTokens(sentence.maxTokens())
                .withHead(new Head.Pooled(sentence.pooling(), sentence.normalize(), keepsPooled()));
        engine = ownEngine != null ? ownEngine.get() : options.engine();
        plan = own(compile(weights.get()));
    }

    /** Loads the model in {@code directory}; what it opens is closed again if that fails. */
    static EncoderModel load(String name, Path directory, EncoderOptions options) throws IOException {
        return Owner.create("encoder of " + name, owner -> new EncoderModel(name, directory, options, owner));
    }

    /** The name that it was loaded by, or the directory's. */
    String name() {
        return name;
    }

    /** Components of a vector. */
    int dimension() {
        return description.width();
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
    Owner owner() {
        return owner;
    }

    /** Closes with the model, before what was opened earlier. */
    <T extends AutoCloseable> T own(T resource) {
        return owner.own(resource);
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
        Graph graph = ModelGraph.encoder(description, config.weights(description, weights));
        return Plan.compile(graph, engine, weightType.dtype());
    }

    private static SentenceConfig readSentence(Path directory, Description description, int specials)
            throws IOException {
        try {
            return SentenceConfig.read(directory, description, specials);
        } catch (NoSuchFileException e) {
            throw new ModelNotFoundException("the model in " + directory + " has " + e.getReason());
        }
    }

    private void requireFit(ModelFiles files, int vocabulary) throws FormatException {
        if (tokenizer.vocabularySize() > vocabulary) {
            throw new FormatException(files.tokenizer(), -1, "vocabulary", "expected ids below the vocab_size "
                    + vocabulary + " of config.json, got " + (tokenizer.vocabularySize() - 1));
        }
    }
}
