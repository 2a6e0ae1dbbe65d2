package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Plan;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.FiniteWeights;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.tensor.Tensor;
import dev.fovea.text.ModelInput;
import dev.fovea.text.PairInputs;
import dev.fovea.text.Tokenizer;
import dev.fovea.text.Truncation;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** A loaded encoder with a head that scores texts, tokens or words, or makes vectors of tokens. */
final class HeadModel {
    /** The most scores of a batch: those of words are many. */
    private static final int MAX_SCORES = 1 << 24;

    /** Chooses the head that a model has. */
    @FunctionalInterface
    interface HeadReader {
        EncoderConfig.Weighted read(EncoderConfig config, Description encoder, Weights file) throws IOException;
    }

    /** Likewise, where it depends on tokens. */
    @FunctionalInterface
    interface TokenHeadReader {
        EncoderConfig.Weighted read(EncoderConfig config, Description encoder, Weights file, Tokenizer tokenizer)
                throws IOException;
    }

    /**
     * Makes of a model what callers get.
     *
     * @param <T> that
     */
    @FunctionalInterface
    interface User<T> {
        T make(HeadModel model) throws IOException;
    }

    /**
     * Makes a result of one input.
     *
     * @param <R> the result
     */
    @FunctionalInterface
    interface ResultReader<R> {
        /** Reads the {@code rows} rows of the output from {@code row} on: one, or as many as the input has tokens. */
        R read(ModelInput input, Tensor output, int row, int rows);
    }

    private final String name;
    private final EncoderConfig config;
    private final Description description;
    private final Weights file;
    private final ModelWeights weights;
    private final int maxTokens;
    private final LengthPolicy lengthPolicy;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Plan plan;
    private final Owner owner;
    private final SessionPool<HeadBatch> batches;

    /** One of both readers is null; that of tokens is for a model with an instruction. */
    private HeadModel(Path directory, EncoderOptions options, HeadReader heads, TokenHeadReader tokenHeads, Owner owner)
            throws IOException {
        this.name = String.valueOf(directory.getFileName());
        this.lengthPolicy = options.lengthPolicy();
        this.owner = owner;
        options.requirePlain(tokenHeads != null);
        var parts = new LoadedParts(owner, options);
        HeadSource source = HeadSource.of(directory, options, tokenHeads != null);
        parts.open(source::openWeights);
        this.config = source.config();
        boolean typed = config.encoder().embedding().tokenTypes() > 1;
        Description encoder = config.encoder().withEmbedding(config.encoder().embedding().withPairs(typed));
        if (heads != null) {
            parts.find(weightsFile -> heads.read(config, encoder, weightsFile));
        }
        this.tokenizer = owner.own(source.openTokenizer(config));
        if (tokenHeads != null) {
            parts.find(weightsFile -> tokenHeads.read(config, encoder, weightsFile, tokenizer));
        }
        config.requireRoom(tokenizer, source.tokenizerFile());
        int specials = tokenizer.prefix().length + tokenizer.suffix().length;
        this.maxTokens = source.maxTokens(encoder, specials);
        this.engine = parts.engine();
        this.file = parts.file();
        this.description = parts.found().description().withMaxTokens(maxTokens);
        this.weights = parts.found().weights();
        requireSeenEnd();
        this.plan = parts.compile(ModelGraph.encoder(description, weights, engine), options.weights().storage());
        this.batches = owner.own(new SessionPool<>(() ->
                new HeadBatch(plan.newSession(64, 16), new WatchedCall(engine, name)), HeadBatch::close));
    }

    /** transformers looks for the last token that is no padding: it must be the one that the tokenizer puts there. */
    private void requireSeenEnd() throws IOException {
        int[] suffix = tokenizer.suffix();
        boolean last = description.head() instanceof Head.Scores scores && scores.readsEnd();
        if (last && suffix.length > 0 && config.json().integer("pad_token_id", 0, -1) == suffix[suffix.length - 1]) {
            throw config.json().wrong("pad_token_id", "another token than the one that ends every text");
        }
    }

    /**
     * Loads the model in a directory; what it opens is closed again if that fails.
     *
     * @param user makes of it what callers get
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged or does not fit the others
     */
    static <T> T load(Path directory, EncoderOptions options, HeadReader heads, User<T> user) throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        return Owner.create("model of " + absolute.getFileName(),
                owner -> user.make(watched(absolute, options, heads, null, owner)));
    }

    /** Likewise a model that is told by an instruction what to do, and whose head depends on tokens. */
    static <T> T loadInstructed(Path directory, EncoderOptions options, TokenHeadReader heads, User<T> user)
            throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        return Owner.create("model of " + absolute.getFileName(),
                owner -> user.make(watched(absolute, options, null, heads, owner)));
    }

    private static HeadModel watched(Path directory, EncoderOptions options, HeadReader heads, TokenHeadReader tokenHeads,
            Owner owner) throws IOException {
        var watched = WatchedLoad.begin(String.valueOf(directory.getFileName()), directory);
        try {
            var model = new HeadModel(directory, options, heads, tokenHeads, owner);
            watched.done(model.engine, model.plan, model.file);
            return model;
        } catch (Throwable e) {
            watched.failed(e);
            throw e;
        }
    }

    /** The directory's name. */
    String name() {
        return name;
    }

    EncoderConfig config() {
        return config;
    }

    Description description() {
        return description;
    }

    int maxTokens() {
        return maxTokens;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    Engine engine() {
        return engine;
    }

    /**
     * What the model reads of a text.
     *
     * @throws IllegalArgumentException if it has too many tokens and the policy is {@link LengthPolicy#ERROR}
     */
    ModelInput input(String text) {
        return within(maxTokens, limit -> tokenizer.input(text, limit));
    }

    /** Likewise of a pair, whose longer text is cut. */
    ModelInput input(String first, String second) {
        return within(maxTokens, limit -> tokenizer.input(first, second, Truncation.LONGEST_FIRST, limit));
    }

    /**
     * What {@code reader} makes of a text, of which it takes no more tokens than it is told.
     *
     * @throws IllegalArgumentException if the text has too many and the policy is {@link LengthPolicy#ERROR}
     */
    ModelInput within(int limit, IntFunction<ModelInput> reader) {
        ModelInput input = reader.apply(limit);
        if (lengthPolicy == LengthPolicy.ERROR && input.truncated()) {
            throw tooLong(limit, reader.apply(Integer.MAX_VALUE).ids().length);
        }
        return input;
    }

    /** What {@code reader} makes of each text; where there are several, an error says which it is of. */
    List<ModelInput> inputs(List<String> texts, Function<String, ModelInput> reader) {
        List<ModelInput> inputs = new ArrayList<>(texts.size());
        for (String text : texts) {
            try {
                inputs.add(reader.apply(text));
            } catch (IllegalArgumentException e) {
                throw texts.size() == 1 ? e : ofText(inputs.size(), e);
            }
        }
        return inputs;
    }

    private static IllegalArgumentException ofText(int index, IllegalArgumentException e) {
        return new IllegalArgumentException("texts[" + index + "]: " + e.getMessage(), e);
    }

    private IllegalArgumentException tooLong(int limit, int tokens) {
        return new IllegalArgumentException("expected at most " + limit + " tokens, special tokens included, which model "
                + name + " takes, got " + tokens);
    }

    /** The result of every input, in order, for any number of them. */
    <R> List<R> run(List<ModelInput> inputs, ResultReader<R> reader) {
        return run(inputs, reader, WatchedCall.arrival(engine));
    }

    /** Likewise of inputs that came at {@code arrival}. */
    <R> List<R> run(List<ModelInput> inputs, ResultReader<R> reader, long arrival) {
        List<R> results = new ArrayList<>(inputs.size());
        onBatch(inputs.size(), arrival, batch -> {
            for (ModelInput input : inputs) {
                if (!fits(batch, input.ids().length)) {
                    run(batch, inputs, reader, results);
                    batch.clear();
                }
                batch.add(input);
            }
            if (batch.sequences() > 0) {
                run(batch, inputs, reader, results);
            }
        });
        return results;
    }

    /** The input of a queue, of whose results {@code batches} knows. */
    <R> HeadInput<R> input(HeadBatches<R> batches, Supplier<ModelInput> reader) {
        owner.enter();
        try {
            return new HeadInput<>(batches, reader.get());
        } finally {
            owner.exit();
        }
    }

    /** The result of one input. */
    <R> R run(ModelInput input, ResultReader<R> reader) {
        return run(List.of(input), reader).getFirst();
    }

    /**
     * The first number that the model gives each pair of {@code first} and one of {@code seconds}, in order, for any
     * number of them. Once warm, it makes objects for the call, but none for a pair.
     *
     * @throws IllegalArgumentException as {@link #input(String, String)} does
     */
    float[] scores(String first, List<String> seconds) {
        float[] scores = new float[seconds.size()];
        onBatch(seconds.size(), WatchedCall.arrival(engine), batch -> {
            PairInputs pairs = tokenizer.pairs(first, Truncation.LONGEST_FIRST, maxTokens);
            int done = 0;
            for (String second : seconds) {
                int tokens = write(pairs, second, batch, seconds.size() == 1 ? -1 : done + batch.sequences());
                boolean fits = fits(batch, tokens);
                batch.add(tokens);
                if (!fits) {
                    done = run(batch, batch.sequences() - 1, scores, done);
                    batch.keepLast();
                }
            }
            run(batch, batch.sequences(), scores, done);
        });
        return scores;
    }

    /** Writes a pair behind a batch; {@code index} is that of its second text where there are several, else −1. */
    private int write(PairInputs pairs, String second, HeadBatch batch, int index) {
        try {
            batch.reserve(maxTokens);
            int tokens = pairs.write(second, batch.ids(), batch.types(), batch.tokens());
            if (lengthPolicy == LengthPolicy.ERROR && pairs.whole() > tokens) {
                throw tooLong(maxTokens, pairs.whole());
            }
            return tokens;
        } catch (IllegalArgumentException e) {
            throw index < 0 ? e : ofText(index, e);
        }
    }

    private void onBatch(int sequences, long arrival, Consumer<HeadBatch> work) {
        owner.enter();
        try {
            batches.run(batch -> batch.watched(arrival, sequences, work));
        } finally {
            owner.exit();
        }
    }

    /** Whether a batch has room for so many tokens more. An empty one takes any. */
    private boolean fits(HeadBatch batch, int tokens) {
        return batch.sequences() == 0
                || batch.tokens() + tokens <= Math.min(TextBatch.MAX_TOKENS, MAX_SCORES / outputs());
    }

    private int outputs() {
        return switch (description.head()) {
            case Head.Scores scores -> scores.outputs();
            case Head.TokenVectors vectors -> Math.max(1, vectors.width());
            default -> description.width();
        };
    }

    private boolean readsTokens() {
        return description.head() instanceof Head.TokenVectors
                || description.head() instanceof Head.Scores scores && scores.reading() == Head.Reading.TOKENS;
    }

    /** Runs a batch of the inputs behind those that have results. */
    private <R> void run(HeadBatch batch, List<ModelInput> inputs, ResultReader<R> reader, List<R> results) {
        Tensor output = batch.run(batch.sequences());
        int first = results.size();
        for (int i = 0; i < batch.sequences(); i++) {
            int row = readsTokens() ? batch.begin(i) : i;
            int rows = readsTokens() ? batch.begin(i + 1) - row : 1;
            requireFinite(batch, i, output, row, row + rows);
            results.add(reader.read(inputs.get(first + i), output, row, rows));
        }
    }

    /** Runs the first sequences of a batch, and writes their scores behind those that are done. */
    private int run(HeadBatch batch, int sequences, float[] scores, int done) {
        if (sequences == 0) {
            return done;
        }
        Tensor output = batch.run(sequences);
        for (int i = 0; i < sequences; i++) {
            requireFinite(batch, i, output, i, i + 1);
            scores[done + i] = output.segment().getAtIndex(ValueLayout.JAVA_FLOAT, i * output.stride(0));
        }
        return done + sequences;
    }

    /** A NaN in the embedding of a word, which is not looked for when the model is loaded, is found here. */
    private void requireFinite(HeadBatch batch, int sequence, Tensor output, int begin, int end) {
        boolean finite = true;
        for (int row = begin; row < end; row++) {
            long first = row * output.stride(0);
            finite &= EncoderSession.isFinite(output.segment(), first, first + output.size(1));
        }
        if (!finite) {
            int[] ids = batch.idsOf(sequence);
            String cause = FiniteWeights.nonFiniteWord(weights, file, ids);
            throw new ArithmeticException("model " + name + " gives a text of " + ids.length
                    + " tokens numbers that are not finite" + (cause == null ? "" : ": " + cause));
        }
    }

    /** What it takes of memory now. */
    MemoryUse memory() {
        return MemoryUse.of(plan, file);
    }

    void close() {
        owner.close();
    }

    /** A row of an output. */
    static float[] row(Tensor output, int row) {
        float[] values = new float[(int) output.size(1)];
        copyRow(output, row, values);
        return values;
    }

    /** Copies a row of an output. */
    static void copyRow(Tensor output, int row, float[] values) {
        MemorySegment.copy(output.segment(), ValueLayout.JAVA_FLOAT, row * output.stride(0) * Float.BYTES, values, 0,
                values.length);
    }
}
