package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.sentence.ModuleList;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Says how well documents answer a query, by a model that reads both at once: a cross-encoder, Nogueira and Cho,
 * arXiv:1901.04085. Safe to share between threads.
 *
 * <pre>{@code
 * try (var reranker = Reranker.load(Path.of("ms-marco-MiniLM-L6-v2"))) {
 *     for (var hit : reranker.rank("How many people live in Berlin?", documents)) {
 *         System.out.println(hit.score() + " " + documents.get(hit.index()));
 *     }
 * }
 * }</pre>
 *
 * <p>Scores are what sentence-transformers' {@code CrossEncoder} gives: as {@code config.json} says, the model's own
 * number or, else, the sigmoid of it. A pair of too many tokens is cut at the longer text.
 */
public final class Reranker implements AutoCloseable {
    private static final String OLD_ACTIVATION = "sbert_ce_default_activation_function";

    /**
     * A document's place.
     *
     * @param index of the document in the list that was given, from 0
     */
    public record Ranked(int index, float score) {}

    private final HeadModel model;
    private final boolean sigmoid;

    private Reranker(HeadModel model, Path directory) throws IOException {
        this.model = model;
        JsonFile settings = JsonFile.readIfPresent(directory.resolve("config_sentence_transformers.json"));
        settings.require("model_type", "CrossEncoder");
        ModuleList.ofHead(directory, List.of(Set.of("Transformer")));
        this.sigmoid = appliesSigmoid(model.config().json());
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static Reranker load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head that scores sequences, of one
     * label.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     */
    public static Reranker load(Path directory, EncoderOptions options) throws IOException {
        return HeadModel.load(directory, options, (config, encoder, file) -> {
            int labels = Labels.of(config.json()).size();
            if (labels != 1) {
                throw config.json().wrong("id2label", "one label, as rerankers have");
            }
            return config.classifier(encoder, labels, file);
        }, model -> new Reranker(model, directory));
    }

    private static boolean appliesSigmoid(JsonFile config) throws FormatException {
        JsonFile from = config.has("sentence_transformers") ? config.object("sentence_transformers") : config;
        String field = from == config ? OLD_ACTIVATION : "activation_fn";
        String name = from.string(field, "Sigmoid");
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "Sigmoid" -> true;
            case "Identity" -> false;
            default -> throw from.wrong(field, "a name that ends with Sigmoid or Identity");
        };
    }

    /**
     * How well a document answers a query.
     *
     * @throws IllegalArgumentException if a text has more than {@link dev.fovea.text.Tokenizer#MAX_CHARS} chars
     * @throws IllegalStateException if the reranker is closed
     */
    public float score(String query, String document) {
        return score(query, List.of(document))[0];
    }

    /**
     * How well each document answers a query, in order, for any number of documents; see {@link #score}. Once warm, it
     * allocates on the Java heap what a call takes, and nothing for a document but its score.
     */
    public float[] score(String query, List<String> documents) {
        Objects.requireNonNull(query, "query");
        float[] scores = model.scores(query, documents);
        for (int i = 0; sigmoid && i < scores.length; i++) {
            scores[i] = Labels.sigmoid(scores[i]);
        }
        return scores;
    }

    /** The documents, best first; those of equal scores keep their order. */
    public List<Ranked> rank(String query, List<String> documents) {
        float[] scores = score(query, documents);
        List<Ranked> ranked = new ArrayList<>(scores.length);
        for (int i = 0; i < scores.length; i++) {
            ranked.add(new Ranked(i, scores[i]));
        }
        ranked.sort(Comparator.comparing(Ranked::score).reversed());
        return ranked;
    }

    /** Tokens that the model takes of a pair, special tokens included. */
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
        return model.describe("Reranker", maxTokens() + " tokens");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
