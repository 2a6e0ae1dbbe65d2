package dev.fovea.model;

import dev.fovea.model.family.Head;
import dev.fovea.tensor.Tensor;
import dev.fovea.text.ModelInput;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Turns queries and documents into a vector per token, and says how well they fit by the best match of each token of
 * the query: ColBERT, Khattab and Zaharia, arXiv:2004.12832. Safe to share between threads.
 *
 * <p>Reads what PyLate writes ({@code modules.json} with a {@code Dense}, {@code config_sentence_transformers.json}) and
 * what ColBERT itself does ({@code linear.weight} among the weights, {@code artifact.metadata}): marks of queries and
 * documents, lengths, masks that fill up a query, and words of documents that are left out.
 */
public final class LateInteraction implements AutoCloseable {
    private final HeadModel model;
    private final LateInteractionConfig config;
    private final int queryMark;
    private final int documentMark;
    private final int mask;
    private final Set<Integer> skipped;

    private LateInteraction(HeadModel model, LateInteractionConfig config, Path directory) throws FormatException {
        this.model = model;
        this.config = config;
        this.queryMark = id(config.queryPrefix(), directory);
        this.documentMark = id(config.documentPrefix(), directory);
        this.mask = config.expands() ? id(config.maskToken(), directory) : -1;
        this.skipped = config.skippedIds(model.tokenizer());
    }

    private int id(String token, Path directory) throws FormatException {
        int id = model.tokenizer().id(token);
        if (id < 0) {
            throw new FormatException(directory.resolve("tokenizer.json"), -1, "added_tokens",
                    "expected a token '" + token + "', which the model's settings name, got none");
        }
        return id;
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static LateInteraction load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     */
    public static LateInteraction load(Path directory, EncoderOptions options) throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        LateInteractionConfig config = ModelFiles.read(absolute, () -> LateInteractionConfig.read(absolute));
        Weights matrix = config.dense() == null ? null : Weights.open(config.dense());
        try {
            return HeadModel.load(absolute, options, (encoder, description, file) -> encoder.tokenVectors(
                    description.withEmbedding(description.embedding().withPairs(false)),
                    new Head.TokenVectors(config.width(matrix == null ? file : matrix), true, config.hidesMasks()),
                    LateInteractionConfig.MATRIX, matrix == null ? file : matrix, file),
                    model -> new LateInteraction(model, config, absolute));
        } finally {
            if (matrix != null) {
                matrix.close(); // packed into the plan
            }
        }
    }

    /**
     * The vectors of a query, of length 1, [tokens][dimension]: filled up with masks where the model's settings say so,
     * and cut to {@link #queryLength()}.
     *
     * @throws IllegalArgumentException if the text has more than {@link dev.fovea.text.Tokenizer#MAX_CHARS} chars, or too
     *     many tokens and the policy is {@link LengthPolicy#ERROR}
     * @throws IllegalStateException if the encoder is closed
     */
    public float[][] encodeQuery(String query) {
        int length = queryLength();
        ModelInput input = model.within(length, limit -> marked(query, queryMark, limit));
        if (config.expands() && input.ids().length < length) {
            input = expanded(input, length);
        }
        return model.run(input, (_, output, row, rows) -> rows(output, row, rows));
    }

    /** The vectors of a document, of length 1, [tokens][dimension], without those of words that are left out. */
    public float[][] encodeDocument(String document) {
        return encodeDocuments(List.of(document)).getFirst();
    }

    /** The vectors of each document, in order, for any number of documents; see {@link #encodeDocument}. */
    public List<float[][]> encodeDocuments(List<String> documents) {
        List<ModelInput> inputs = model.inputs(documents,
                document -> model.within(documentLength(), limit -> marked(document, documentMark, limit)));
        return model.run(inputs, (input, output, row, rows) -> {
            List<float[]> kept = new ArrayList<>();
            for (int i = 0; i < rows; i++) {
                if (!skipped.contains(input.ids()[i])) {
                    kept.add(HeadModel.row(output, row + i));
                }
            }
            return kept.toArray(float[][]::new);
        });
    }

    /** How well each document answers a query, in order, for any number of documents. */
    public float[] score(String query, List<String> documents) {
        float[][] vectors = encodeQuery(query);
        List<float[][]> all = encodeDocuments(documents);
        float[] scores = new float[all.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = maxSim(vectors, all.get(i));
        }
        return scores;
    }

    /** The documents, best first; those of equal scores keep their order. */
    public List<Reranker.Ranked> rank(String query, List<String> documents) {
        float[] scores = score(query, documents);
        List<Reranker.Ranked> ranked = new ArrayList<>(scores.length);
        for (int i = 0; i < scores.length; i++) {
            ranked.add(new Reranker.Ranked(i, scores[i]));
        }
        ranked.sort(Comparator.comparing(Reranker.Ranked::score).reversed());
        return ranked;
    }

    /**
     * The sum, over the vectors of a query, of the largest dot product with a vector of a document; 0 if either has
     * none.
     *
     * @param query [tokens][dimension]
     * @param document [tokens][dimension]
     */
    public static float maxSim(float[][] query, float[][] document) {
        double sum = 0;
        for (float[] token : query) {
            double best = Double.NEGATIVE_INFINITY;
            for (float[] other : document) {
                double dot = 0;
                for (int i = 0; i < token.length; i++) {
                    dot += (double) token[i] * other[i];
                }
                best = Math.max(best, dot);
            }
            sum += document.length == 0 ? 0 : best;
        }
        return (float) sum;
    }

    /** What the model reads of a text, with a mark behind the first token. */
    private ModelInput marked(String text, int mark, int length) {
        ModelInput input = model.tokenizer().input(text, length - 1);
        int tokens = input.ids().length;
        int before = Math.min(1, tokens); // none of an empty text without special tokens
        int[] ids = new int[tokens + 1];
        System.arraycopy(input.ids(), 0, ids, 0, before);
        ids[before] = mark;
        System.arraycopy(input.ids(), before, ids, before + 1, tokens - before);
        return new ModelInput(ids, new int[ids.length], null, null, null, null, input.truncated());
    }

    /** Filled up with masks, of the second type. */
    private ModelInput expanded(ModelInput input, int length) {
        int[] ids = Arrays.copyOf(input.ids(), length);
        int[] types = new int[length];
        for (int i = input.ids().length; i < length; i++) {
            ids[i] = mask;
            types[i] = 1;
        }
        return new ModelInput(ids, types, null, null, null, null, input.truncated());
    }

    private static float[][] rows(Tensor output, int row, int rows) {
        float[][] vectors = new float[rows][];
        for (int i = 0; i < rows; i++) {
            vectors[i] = HeadModel.row(output, row + i);
        }
        return vectors;
    }

    /** Tokens of a query. */
    public int queryLength() {
        return Math.min(config.queryLength(), model.maxTokens());
    }

    /** The most tokens of a document. */
    public int documentLength() {
        return Math.min(config.documentLength(), model.maxTokens());
    }

    /** Components of a vector. */
    public int dimension() {
        return ((Head.TokenVectors) model.description().head()).width();
    }

    /** The directory's name. */
    public String name() {
        return model.name();
    }

    /** What it takes of memory off the Java heap now. */
    public MemoryUse memory() {
        return model.memory();
    }

    @Override
    public String toString() {
        return model.describe("LateInteraction", dimension() + " dimensions");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
