package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.sentence.ModuleList;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Turns texts into weights of terms, for an inverted index: SPLADE, Formal et al., arXiv:2109.10086. Safe to share
 * between threads.
 *
 * <p>A term's weight is {@code log(1 + max(0, score))} of the token that scores it highest as a masked word; where a
 * {@code SpladePooling} that {@code modules.json} of sentence-transformers names says so, the sum over all tokens, or the logarithm twice.
 */
public final class SparseEncoder implements AutoCloseable {
    /**
     * The terms of a text that have a weight.
     *
     * @param ids of the vocabulary, ascending
     * @param weights above 0, one for each id
     */
    public record SparseVector(int[] ids, float[] weights) {
        /** The products of weights of the terms that both have, added up. */
        public float dot(SparseVector other) {
            double sum = 0;
            int j = 0;
            for (int i = 0; i < ids.length; i++) {
                while (j < other.ids.length && other.ids[j] < ids[i]) {
                    j++;
                }
                if (j < other.ids.length && other.ids[j] == ids[i]) {
                    sum += (double) weights[i] * other.weights[j];
                }
            }
            return (float) sum;
        }

        /** Such as {@code SparseVector[112 terms: 2054 0.1234, 2129 1.5000, 2182 0.0310, …]}, by ids. */
        @Override
        public String toString() {
            var text = new StringBuilder("SparseVector[").append(ids.length).append(" terms");
            for (int i = 0; i < Math.min(3, ids.length); i++) {
                text.append(i == 0 ? ": " : ", ").append(ids[i]).append(' ').append(Brief.of(new float[] {weights[i]}));
            }
            return text.append(ids.length > 3 ? ", …]" : "]").toString();
        }
    }

    /** Of sentence-transformers; newer versions call the first as that of other models. */
    private static final List<Set<String>> MODULES =
            List.of(Set.of("MLMTransformer", "Transformer"), Set.of("SpladePooling"));

    private final HeadModel model;
    private final boolean sums;
    private final boolean twice;
    private final HeadBatches<SparseVector> batches;

    private SparseEncoder(HeadModel model, Path directory) throws IOException {
        this.model = model;
        JsonFile settings = JsonFile.readIfPresent(directory.resolve("config_sentence_transformers.json"));
        settings.require("model_type", "SparseEncoder");
        if (settings.has("max_active_dims")) {
            throw settings.wrong("max_active_dims", "null, for all terms that have a weight");
        }
        ModuleList modules = ModuleList.ofHead(directory, MODULES);
        JsonFile pooling = modules.size() == 0 ? null : ModelFiles.read(directory, () -> modules.config(1));
        if (pooling != null) {
            pooling.requireKnown(Set.of("pooling_strategy", "activation_function", "word_embedding_dimension",
                    "embedding_dimension", "chunk_size"));
        }
        this.sums = pooling != null && choose(pooling, "pooling_strategy", "max", "sum");
        this.twice = pooling != null && choose(pooling, "activation_function", "relu", "log1p_relu");
        this.batches = new HeadBatches<>(model, (_, output, row, rows) -> read(output, row, rows));
    }

    /** Whether a field has its second value; the first is that of an absent one. */
    private static boolean choose(JsonFile json, String field, String first, String second) throws FormatException {
        String value = json.string(field, first);
        if (!value.equals(first) && !value.equals(second)) {
            throw json.wrong(field, '"' + first + "\" or \"" + second + '"');
        }
        return value.equals(second);
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static SparseEncoder load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head for masked words.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     */
    public static SparseEncoder load(Path directory, EncoderOptions options) throws IOException {
        return HeadModel.load(directory, options, (config, encoder, file) -> config.words(encoder, file),
                model -> new SparseEncoder(model, directory));
    }

    /**
     * The terms of a text. A text of too many tokens is cut.
     *
     * @throws IllegalArgumentException if a text has more than {@link dev.fovea.text.Tokenizer#MAX_CHARS} chars
     * @throws IllegalStateException if the encoder is closed
     */
    public SparseVector encode(String text) {
        return encodeAll(List.of(text)).getFirst();
    }

    /** The terms of each text, in order, for any number of texts. */
    public List<SparseVector> encodeAll(List<String> texts) {
        return model.run(model.inputs(texts, model::input), batches.reader());
    }

    /**
     * A text for an {@link EncoderQueue}, which gives its terms.
     *
     * @throws IllegalArgumentException as {@link #encode} does
     */
    public EncoderInput<SparseVector> input(String text) {
        return model.input(batches, () -> model.input(text));
    }

    /** What runs its inputs. */
    HeadBatches<SparseVector> batches() {
        return batches;
    }

    private SparseVector read(Tensor output, int row, int rows) {
        float[] peak = new float[(int) output.size(1)];
        float[] scores = new float[peak.length];
        for (int i = 0; i < rows; i++) {
            HeadModel.copyRow(output, row + i, scores);
            for (int term = 0; term < peak.length; term++) {
                peak[term] = sums ? peak[term] + weight(scores[term]) : Math.max(peak[term], scores[term]);
            }
        }
        return vector(peak);
    }

    private SparseVector vector(float[] peaks) {
        int[] ids = IntStream.range(0, peaks.length).filter(term -> peaks[term] > 0).toArray();
        float[] weights = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            weights[i] = sums ? peaks[ids[i]] : weight(peaks[ids[i]]);
        }
        return new SparseVector(ids, weights);
    }

    private float weight(float score) {
        double weight = Math.log1p(Math.max(0, score));
        return (float) (twice ? Math.log1p(weight) : weight);
    }

    /** The terms of a vector as the vocabulary spells them, the weightiest first. */
    public Map<String, Float> terms(SparseVector vector) {
        Map<String, Float> terms = new LinkedHashMap<>();
        IntStream.range(0, vector.ids().length).boxed()
                .sorted((i, j) -> Float.compare(vector.weights()[j], vector.weights()[i]))
                .forEach(i -> terms.put(model.tokenizer().text(vector.ids()[i]), vector.weights()[i]));
        return terms;
    }

    /** Terms that there are. */
    public int vocabulary() {
        return model.description().vocabulary();
    }

    /** Tokens that the model takes, special tokens included. */
    public int maxTokens() {
        return model.maxTokens();
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
        return model.describe("SparseEncoder", vocabulary() + " terms");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
