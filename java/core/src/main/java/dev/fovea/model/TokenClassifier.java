package dev.fovea.model;

import dev.fovea.text.ModelInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Finds what stands where in a text, such as names of people and places. Safe to share between threads.
 *
 * <p>Entities are those of transformers' pipeline {@code token-classification}, but for their text, which is what the
 * text has there and not what the tokenizer made of it.
 */
public final class TokenClassifier implements AutoCloseable {
    private static final String OUTSIDE = "O";

    /** How the labels of tokens become those of entities; the names are those of the pipeline. */
    public enum Aggregation {
        /** Every token that is not outside is an entity. */
        NONE,
        /** Neighbours of one label are an entity, unless a token begins another by {@code B-}. */
        SIMPLE,
        /** As {@link #SIMPLE}, of words: each has the label of its first token. */
        FIRST,
        /** As {@link #SIMPLE}, of words: each has the best label by the mean of its tokens. */
        AVERAGE,
        /** As {@link #SIMPLE}, of words: each has the label of its surest token. */
        MAX
    }

    /**
     * A part of a text.
     *
     * @param label without {@code B-} and {@code I-}, unless nothing is aggregated
     * @param score the mean of its tokens' or words' probabilities
     * @param text what stands there
     * @param start where it begins, in chars
     * @param end where it ends
     */
    public record Entity(String label, float score, String text, int start, int end) {}

    /** A token or word before it is grouped. */
    private record Part(int label, float score, int start, int end) {}

    private final HeadModel model;
    private final List<String> labels;

    private TokenClassifier(HeadModel model) throws IOException {
        this.model = model;
        this.labels = List.copyOf(Labels.of(model.config().json()));
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static TokenClassifier load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head that scores tokens.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws dev.fovea.weights.FormatException if a file of the model is damaged, does not fit the others, or is that
     *     of another model
     * @throws IOException if a file cannot be read
     */
    public static TokenClassifier load(Path directory, EncoderOptions options) throws IOException {
        return HeadModel.load(directory, options, (config, encoder, file) ->
                config.tagger(encoder, Labels.of(config.json()).size(), file), TokenClassifier::new);
    }

    /** The labels, by their numbers. */
    public List<String> labels() {
        return labels;
    }

    /** The entities of a text, by {@link Aggregation#SIMPLE}; see {@link #tag(String, Aggregation)}. */
    public List<Entity> tag(String text) {
        return tag(text, Aggregation.SIMPLE);
    }

    /**
     * The entities of a text, in order. A text of too many tokens is cut.
     *
     * @throws IllegalArgumentException if the text has more than {@link dev.fovea.text.Tokenizer#MAX_CHARS} chars
     * @throws IllegalStateException if the classifier is closed
     */
    public List<Entity> tag(String text, Aggregation aggregation) {
        Objects.requireNonNull(aggregation, "aggregation");
        ModelInput input = model.input(text);
        float[][] scores = model.run(input, (_, output, row, rows) -> {
            float[][] all = new float[rows][];
            for (int i = 0; i < rows; i++) {
                all[i] = Labels.softmax(HeadModel.row(output, row + i));
            }
            return all;
        });
        List<Part> parts = parts(text, input, scores, aggregation);
        return aggregation == Aggregation.NONE ? tokens(text, parts) : groups(text, parts);
    }

    /** Tokens, or words of tokens. */
    private List<Part> parts(String text, ModelInput input, float[][] scores, Aggregation aggregation) {
        boolean words = aggregation != Aggregation.NONE && aggregation != Aggregation.SIMPLE;
        List<Part> parts = new ArrayList<>();
        List<float[]> word = new ArrayList<>();
        int start = 0;
        int end = 0;
        for (int i = 0; i < scores.length; i++) {
            if (input.texts()[i] < 0) {
                continue;
            }
            boolean continues = words && !word.isEmpty() && continues(text, input, i);
            if (!word.isEmpty() && !continues) {
                parts.add(part(word, start, end, aggregation));
                word.clear();
            }
            start = word.isEmpty() ? input.starts()[i] : start;
            end = input.ends()[i];
            word.add(scores[i]);
        }
        if (!word.isEmpty()) {
            parts.add(part(word, start, end, aggregation));
        }
        return parts;
    }

    /** Whether a token goes on with the word before it. */
    private boolean continues(String text, ModelInput input, int i) {
        int start = input.starts()[i];
        if (!model.tokenizer().marksContinuations()) {
            return start > 0 && text.substring(start - 1, Math.min(text.length(), start + 1)).indexOf(' ') < 0;
        }
        String token = model.tokenizer().text(input.ids()[i]);
        return !token.equals(model.tokenizer().unknownToken())
                && token.codePointCount(0, token.length()) != text.codePointCount(start, input.ends()[i]);
    }

    private static Part part(List<float[]> tokens, int start, int end, Aggregation aggregation) {
        float[] scores = switch (aggregation) {
            case NONE, SIMPLE, FIRST -> tokens.getFirst();
            case MAX -> surest(tokens);
            case AVERAGE -> mean(tokens);
        };
        int label = best(scores);
        return new Part(label, scores[label], start, end);
    }

    private static float[] surest(List<float[]> tokens) {
        float[] surest = tokens.getFirst();
        for (float[] scores : tokens) {
            surest = scores[best(scores)] > surest[best(surest)] ? scores : surest;
        }
        return surest;
    }

    private static float[] mean(List<float[]> tokens) {
        float[] mean = new float[tokens.getFirst().length];
        for (int i = 0; i < mean.length; i++) {
            double sum = 0;
            for (float[] scores : tokens) {
                sum += scores[i];
            }
            mean[i] = (float) (sum / tokens.size());
        }
        return mean;
    }

    private static int best(float[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }

    private List<Entity> tokens(String text, List<Part> parts) {
        List<Entity> entities = new ArrayList<>();
        for (Part part : parts) {
            String label = labels.get(part.label());
            if (!label.equals(OUTSIDE)) {
                entities.add(entity(label, part.score(), text, part.start(), part.end()));
            }
        }
        return entities;
    }

    private List<Entity> groups(String text, List<Part> parts) {
        List<Entity> entities = new ArrayList<>();
        int from = 0;
        while (from < parts.size()) {
            int to = from + 1;
            while (to < parts.size() && tag(parts.get(to)).equals(tag(parts.get(to - 1))) && !begins(parts.get(to))) {
                to++;
            }
            String label = tag(parts.get(from));
            if (!label.equals(OUTSIDE)) {
                double sum = 0;
                for (Part part : parts.subList(from, to)) {
                    sum += part.score();
                }
                entities.add(entity(label, (float) (sum / (to - from)), text, parts.get(from).start(),
                        parts.get(to - 1).end()));
            }
            from = to;
        }
        return entities;
    }

    private String tag(Part part) {
        String label = labels.get(part.label());
        return label.startsWith("B-") || label.startsWith("I-") ? label.substring(2) : label;
    }

    private boolean begins(Part part) {
        return labels.get(part.label()).startsWith("B-");
    }

    private static Entity entity(String label, float score, String text, int start, int end) {
        return new Entity(label, score, text.substring(start, end), start, end);
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
        return model.describe("TokenClassifier", labels.size() + " labels");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
