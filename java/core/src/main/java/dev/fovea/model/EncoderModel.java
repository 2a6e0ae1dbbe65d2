package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.FiniteWeights;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.sentence.Prompts;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentencePipeline;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A loaded encoder: its settings, its compiled graph, and everything that must be freed with it. */
final class EncoderModel {
    private final String name;
    private final EncoderSource source;
    private final EncoderConfig config;
    private final Description description;
    private final SentencePipeline pipeline;
    private final String prompt;
    private final LengthPolicy lengthPolicy;
    private final WeightType weightType;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Weights file;
    private final ModelWeights weights;
    private final Plan plan;
    private final Owner owner;

    /** Finds the directory or file that a model is in. */
    interface Place {
        Path find() throws IOException;
    }

    private EncoderModel(String name, Place place, EncoderOptions options, WatchedLoad watched, Owner owner)
            throws IOException {
        this.name = name;
        this.lengthPolicy = options.lengthPolicy();
        this.weightType = options.weights();
        this.owner = owner;
        var parts = new LoadedParts(owner, options);
        Path path = place.find();
        watched.at(path);
        source = EncoderSource.of(path, options.weightsFile());
        parts.open(source::openWeights);
        config = source.config();
        Description read = config.encoder();
        parts.find(weightsFile -> config.weights(read, weightsFile));
        tokenizer = own(source.openTokenizer(config));
        config.requireRoom(tokenizer, source.tokenizerFile());
        int specials = tokenizer.prefix().length + tokenizer.suffix().length;
        pipeline = SentencePipeline.open(source.sentence(read, specials), read.width(), options.dimensions());
        Prompts prompts = sentence().prompts();
        prompt = options.prompt() == null ? prompts.byDefault() : prompts.resolve(options.prompt(), name);
        description = read.withMaxTokens(sentence().maxTokens()).withHead(pipeline.head(keepsPooled()));
        engine = parts.engine();
        file = parts.file();
        weights = parts.found().weights();
        plan = parts.compile(ModelGraph.encoder(description, weights, engine), weightType.storage());
    }

    /**
     * Loads the model in a directory or a file, which is found while the engine starts already; what it opens is closed
     * again if that fails.
     */
    static EncoderModel load(String name, Place place, EncoderOptions options) throws IOException {
        var watched = WatchedLoad.begin(name);
        try {
            EncoderModel model = Owner.create("encoder of " + name,
                    owner -> new EncoderModel(name, place, options, watched, owner));
            watched.done(model.engine, model.plan, model.file);
            return model;
        } catch (Throwable e) {
            watched.failed(e);
            throw e;
        }
    }

    /** See {@link TextEncoder#properties}. */
    Map<String, String> properties() {
        return ModelProperties.of(source, config, description, pipeline, tokenizer, file);
    }

    /** The name that it was loaded by, or the directory's. */
    String name() {
        return name;
    }

    /** Components of a vector. */
    int dimension() {
        return pipeline.dimension();
    }

    /** Components of a token's vector. */
    int width() {
        return description.width();
    }

    /** What makes vectors of texts of those of tokens. */
    SentencePipeline pipeline() {
        return pipeline;
    }

    /** What stands before every text. */
    String prompt() {
        return prompt;
    }

    /** Tokens that the model takes, special tokens included. */
    int maxTokens() {
        return sentence().maxTokens();
    }

    /** What becomes of token vectors. */
    SentenceConfig sentence() {
        return pipeline.config();
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

    /** What it takes of memory now. */
    MemoryUse memory() {
        return MemoryUse.of(plan, file);
    }

    /** A session of the compiled graph. */
    Session newSession(int maxTokens, int maxSequences) {
        return plan.newSession(maxTokens, maxSequences);
    }

    /** A session of the same steps that also keeps the patterns, for one sequence of this many tokens. */
    Session newExplainingSession(int tokens) {
        return plan.newExplainingSession(tokens, 1);
    }

    /** Which of some tokens has an embedding that is not finite, in a few words; null if none has. */
    String nonFiniteWord(int... ids) {
        return FiniteWeights.nonFiniteWord(weights, file, ids);
    }
}
