package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.FiniteWeights;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.tensor.Tensor;
import dev.fovea.text.ModelInput;
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
import java.util.function.IntFunction;

/** A loaded encoder with a head that scores texts, tokens or words, or makes vectors of tokens. */
final class HeadModel {
    /** The most scores of a batch: those of words are many. */
    private static final int MAX_SCORES = 1 << 24;

    /** Chooses the head that a model has. */
    @FunctionalInterface
    interface HeadReader {
        EncoderConfig.Headed read(EncoderConfig config, Description encoder, Weights file, Engine engine)
                throws IOException;
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
    private final SessionPool<Session> sessions;

    private HeadModel(Path directory, EncoderOptions options, HeadReader heads, Owner owner) throws IOException {
        this.name = String.valueOf(directory.getFileName());
        this.lengthPolicy = options.lengthPolicy();
        if (lengthPolicy == LengthPolicy.CHUNK_MEAN) {
            throw new IllegalArgumentException("expected a length policy of TRUNCATE or ERROR for a model with a head, got "
                    + lengthPolicy);
        }
        this.owner = owner;
        requirePlain(options);
        ModelFiles files = ModelFiles.ofHead(directory);
        Loading<Weights> opened = owner.own(new Loading<>("weights", () -> Weights.open(files.weights())));
        this.config = EncoderConfig.read(files.config());
        this.tokenizer = owner.own(Tokenizer.load(files.folder(), files.modelType()));
        config.requireRoom(tokenizer, files.tokenizer());
        this.maxTokens = maxTokens(files.folder(), config.encoder());
        boolean typed = config.encoder().embedding().tokenTypes() > 1;
        Description encoder = config.encoder().withMaxTokens(maxTokens)
                .withEmbedding(config.encoder().embedding().withPairs(typed));
        this.file = opened.get();
        this.engine = options.engine() != null ? options.engine()
                : owner.own(Engine.create(options.engineOptions()));
        EncoderConfig.Headed headed = heads.read(config, encoder, file, engine);
        this.description = headed.description();
        this.weights = headed.weights();
        this.plan = owner.own(Plan.compile(ModelGraph.encoder(description, this.weights), engine,
                options.weights().dtype()));
        this.sessions = owner.own(new SessionPool<>(() -> plan.newSession(64, 16), Session::close));
    }

    /**
     * Loads the model in a directory; what it opens is closed again if that fails.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged or does not fit the others
     */
    static HeadModel load(Path directory, EncoderOptions options, HeadReader heads) throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        return Owner.create("model of " + absolute.getFileName(),
                owner -> new HeadModel(absolute, options, heads, owner));
    }

    private static void requirePlain(EncoderOptions options) {
        if (options.prompt() != null || options.dimensions() != 0) {
            throw new IllegalArgumentException("prompts and dimensions are for vectors of texts; a model with a head has"
                    + " neither, got " + (options.prompt() != null ? "the prompt '" + Excerpt.of(options.prompt()) + "'"
                    : options.dimensions() + " dimensions"));
        }
    }

    /** As many as there are positions, unless the settings of the Transformer or of the tokenizer say less. */
    private static int maxTokens(Path folder, Description model) throws IOException {
        JsonFile sentence = SentenceConfig.transformerSettings(folder);
        if (sentence.bool("do_lower_case", false)) {
            throw sentence.wrong("do_lower_case", "false, of a model with a head");
        }
        JsonFile json = JsonFile.readIfPresent(folder.resolve("tokenizer_config.json"));
        if (!json.string("truncation_side", "right").equals("right")) {
            throw json.wrong("truncation_side", "\"right\", of a model with a head");
        }
        // Tokenizers without a limit state 1e30.
        return sentence.has("max_seq_length") ? Math.min(model.maxTokens(), sentence.integer("max_seq_length", 1))
                : (int) Math.min(model.maxTokens(), json.positive("model_max_length", model.maxTokens()));
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
            throw new IllegalArgumentException("expected at most " + limit + " tokens, special tokens included, which model "
                    + name + " takes, got " + reader.apply(Integer.MAX_VALUE).ids().length);
        }
        return input;
    }

    /** The result of every input, in order, for any number of them. */
    <R> List<R> run(List<ModelInput> inputs, ResultReader<R> reader) {
        List<R> results = new ArrayList<>(inputs.size());
        owner.enter();
        try {
            sessions.run(session -> runAll(session, inputs, reader, results));
        } finally {
            owner.exit();
        }
        return results;
    }

    /** The result of one input. */
    <R> R run(ModelInput input, ResultReader<R> reader) {
        return run(List.of(input), reader).getFirst();
    }

    private int endOfBatch(List<ModelInput> inputs, int from) {
        int most = Math.min(TextBatch.MAX_TOKENS, MAX_SCORES / outputs());
        int tokens = inputs.get(from).ids().length;
        int to = from + 1;
        while (to < inputs.size() && tokens + inputs.get(to).ids().length <= most) {
            tokens += inputs.get(to++).ids().length;
        }
        return to;
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

    private <R> void runAll(Session session, List<ModelInput> inputs, ResultReader<R> reader, List<R> results) {
        int from = 0;
        while (from < inputs.size()) {
            int to = endOfBatch(inputs, from);
            run(session, inputs.subList(from, to), reader, results);
            from = to;
        }
    }

    private <R> void run(Session session, List<ModelInput> batch, ResultReader<R> reader, List<R> results) {
        int[] offsets = new int[batch.size() + 1];
        for (int i = 0; i < batch.size(); i++) {
            offsets[i + 1] = offsets[i] + batch.get(i).ids().length;
        }
        int tokens = offsets[batch.size()];
        int[] ids = new int[tokens];
        int[] types = new int[tokens];
        for (int i = 0; i < batch.size(); i++) {
            ModelInput input = batch.get(i);
            System.arraycopy(input.ids(), 0, ids, offsets[i], input.ids().length);
            System.arraycopy(input.types(), 0, types, offsets[i], input.ids().length);
        }
        session.ensureCapacity(Math.ceilDiv(Math.max(1, tokens), 64) * 64, Math.ceilDiv(batch.size(), 16) * 16);
        session.run(batch.size(), MemorySegment.ofArray(ids), MemorySegment.ofArray(types),
                MemorySegment.ofArray(offsets));
        for (int i = 0; i < batch.size(); i++) {
            requireFinite(batch.get(i), session.output(), readsTokens() ? offsets[i] : i,
                    readsTokens() ? offsets[i + 1] : i + 1);
            results.add(readsTokens()
                    ? reader.read(batch.get(i), session.output(), offsets[i], offsets[i + 1] - offsets[i])
                    : reader.read(batch.get(i), session.output(), i, 1));
        }
    }

    /** A NaN in the embedding of a word, which is not looked for when the model is loaded, is found here. */
    private void requireFinite(ModelInput input, Tensor output, int begin, int end) {
        boolean finite = true;
        for (int row = begin; row < end; row++) {
            long first = row * output.stride(0);
            finite &= EncoderSession.isFinite(output.segment(), first, first + output.size(1));
        }
        if (!finite) {
            String cause = FiniteWeights.nonFiniteWord(weights, file, input.ids());
            throw new ArithmeticException("model " + name + " gives a text of " + input.ids().length
                    + " tokens numbers that are not finite" + (cause == null ? "" : ": " + cause));
        }
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
