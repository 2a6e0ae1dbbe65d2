package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Says which labels a text or a pair of texts has. Safe to share between threads.
 *
 * <p>Scores are those of transformers' pipeline {@code text-classification}: probabilities that sum to 1 where a text
 * has one label of several, each for itself where it may have many or there is one only, and the model's own numbers
 * where {@code problem_type} is {@code regression}.
 */
public final class TextClassifier implements AutoCloseable {
    /** A label and its score. */
    public record Label(String name, float score) {}

    private enum Scores { SOFTMAX, SIGMOID, RAW }

    private final HeadModel model;
    private final List<String> labels;
    private final Scores scores;
    private final HeadBatches<List<Label>> batches;

    private TextClassifier(HeadModel model) throws FormatException {
        this.model = model;
        this.labels = List.copyOf(Labels.of(model.config().json()));
        this.scores = scores(model.config().json(), labels.size());
        this.batches = new HeadBatches<>(model, (_, output, row, _) -> labelled(HeadModel.row(output, row)));
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static TextClassifier load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head that scores sequences.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     */
    public static TextClassifier load(Path directory, EncoderOptions options) throws IOException {
        return HeadModel.load(directory, options, (config, encoder, file) ->
                config.classifier(encoder, Labels.of(config.json()).size(), file), TextClassifier::new);
    }

    private static Scores scores(JsonFile config, int labels) throws FormatException {
        return switch (config.string("problem_type", labels == 1 ? "multi_label_classification"
                : "single_label_classification")) {
            case "multi_label_classification" -> Scores.SIGMOID;
            case "single_label_classification" -> labels == 1 ? Scores.SIGMOID : Scores.SOFTMAX;
            case "regression" -> Scores.RAW;
            default -> throw config.wrong("problem_type",
                    "single_label_classification, multi_label_classification or regression");
        };
    }

    /** The labels, by their numbers. */
    public List<String> labels() {
        return labels;
    }

    /** Whether a text may have several labels. */
    public boolean isMultiLabel() {
        return scores == Scores.SIGMOID && labels.size() > 1;
    }

    /**
     * All labels of a text with their scores, best first. A text of too many tokens is cut.
     *
     * @throws IllegalArgumentException if a text has more than {@link dev.fovea.text.Tokenizer#MAX_CHARS} chars
     * @throws IllegalStateException if the classifier is closed
     */
    public List<Label> classify(String text) {
        return classifyAll(List.of(text)).getFirst();
    }

    /** As {@link #classify(String)}, of a pair, such as a premise and a hypothesis; the longer text is cut. */
    public List<Label> classify(String first, String second) {
        return model.run(model.input(first, second), batches.reader());
    }

    /** The labels of each text, in order, for any number of texts; see {@link #classify(String)}. */
    public List<List<Label>> classifyAll(List<String> texts) {
        return model.run(model.inputs(texts, model::input), batches.reader());
    }

    /**
     * A text for an {@link EncoderQueue}, which gives its labels.
     *
     * @throws IllegalArgumentException as {@link #classify(String)} does
     */
    public EncoderInput<List<Label>> input(String text) {
        return model.input(batches, () -> model.input(text));
    }

    /** A pair for an {@link EncoderQueue}; see {@link #classify(String, String)}. */
    public EncoderInput<List<Label>> input(String first, String second) {
        return model.input(batches, () -> model.input(first, second));
    }

    /** What runs its inputs. */
    HeadBatches<List<Label>> batches() {
        return batches;
    }

    private List<Label> labelled(float[] logits) {
        float[] values = scores == Scores.SOFTMAX ? Labels.softmax(logits) : logits;
        List<Label> result = new ArrayList<>(values.length);
        for (int i = 0; i < values.length; i++) {
            result.add(new Label(labels.get(i), scores == Scores.SIGMOID ? Labels.sigmoid(values[i]) : values[i]));
        }
        result.sort(Comparator.comparing(Label::score).reversed());
        return result;
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
        return model.describe("TextClassifier", labels.size() + " labels");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
