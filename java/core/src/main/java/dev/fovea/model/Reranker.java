package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.GgufDecoder;
import dev.fovea.model.sentence.ModuleList;
import dev.fovea.model.sentence.Prompts;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.ModelInput;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
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
 * number or, else, the sigmoid of it. A pair of too many tokens is cut at the longer text, or for a language model at the
 * end of the document.
 *
 * <p>A language model is asked whether the document meets the query, and its score is the sigmoid of how much more it
 * gives {@code yes} than {@code no}: the share of {@code yes} in both.
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
    /** How a pair is put to a language model, or null where the tokenizer's template makes one text of both. */
    private final PairPrompt prompt;
    private final boolean sigmoid;
    private final HeadBatches<Float> batches;

    private Reranker(HeadModel model, Path directory, PairPrompt prompt) throws IOException {
        this.model = model;
        this.prompt = prompt;
        JsonFile settings = JsonFile.readIfPresent(directory.resolve("config_sentence_transformers.json"));
        settings.require("model_type", "CrossEncoder");
        this.sigmoid = appliesSigmoid(settings, model.config().json());
        if (prompt != null) {
            prompt.requireRoom(model.maxTokens(), model.config().json());
        }
        this.batches = new HeadBatches<>(model, (_, output, row, _) -> activated(HeadModel.row(output, row)[0]));
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static Reranker load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head that scores sequences, of one
     * label; or a language model that answers yes or no, such as Qwen3-Reranker, whose instruction is
     * {@link EncoderOptions#withPrompt} or the model's default prompt. Or a GGUF file of Qwen3-Reranker, of the whole model or of
     * its scores alone, as llama.cpp's converter writes it ({@code pooling_type} 4); the prompt is its instruction.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the options have a prompt, and the model takes none
     */
    public static Reranker load(Path directory, EncoderOptions options) throws IOException {
        if (EncoderSource.isFile(directory)) {
            return ofFile(directory, options);
        }
        Path folder = Files.isDirectory(directory) ? SentenceConfig.firstFolder(directory) : directory;
        JsonFile config = JsonFile.readIfPresent(folder.resolve("config.json"));
        if (!EncoderConfig.isLanguageModel(config)) {
            return HeadModel.load(directory, options, (encoder, description, file) -> {
                ModuleList.ofHead(directory, List.of(Set.of("Transformer")));
                return classifier(encoder, description, file);
            }, model -> new Reranker(model, directory, null));
        }
        Judge judge = Judge.of(directory, config);
        Prompts prompts = SentenceConfig.prompts(directory);
        String instruction = options.prompt() == null ? prompts.byDefault()
                : prompts.resolve(options.prompt(), String.valueOf(directory.getFileName()));
        return HeadModel.loadInstructed(directory, options, (encoder, description, file, tokenizer) -> judge == null
                ? classifier(encoder, description, file) : judge.head(encoder, description, file, tokenizer),
                model -> new Reranker(model, directory, prompt(folder, model, instruction, judge != null)));
    }

    /** A file says nothing of a prompt: the question is that of Qwen3-Reranker. */
    private static Reranker ofFile(Path file, EncoderOptions options) throws IOException {
        String instruction = options.prompt() == null ? "" : options.prompt();
        return HeadModel.loadInstructed(file, options, (encoder, description, weights, tokenizer) ->
                GgufDecoder.isJudge((GgufWeights) weights) ? GgufDecoder.judged(encoder, description, weights)
                        : new Judge(null).head(encoder, description, weights, tokenizer),
                model -> new Reranker(model, file, PairPrompt.ofQwen(model.tokenizer(), instruction)));
    }

    /** Whether a path is that of a GGUF file of scores alone. Reads settings alone. */
    public static boolean takes(Path path) throws IOException {
        if (!EncoderSource.isFile(path)) {
            return false;
        }
        try (GgufWeights file = GgufWeights.open(path)) {
            return GgufDecoder.isJudge(file);
        }
    }

    private static EncoderConfig.Weighted classifier(EncoderConfig config, Description encoder, Weights file)
            throws FormatException {
        int labels = Labels.of(config.json()).size();
        if (labels != 1) {
            throw config.json().wrong("id2label", "one label, as rerankers have");
        }
        return config.classifier(encoder, labels, file);
    }

    private static PairPrompt prompt(Path folder, HeadModel model, String instruction, boolean judges) throws IOException {
        PairPrompt prompt = PairPrompt.ofTemplate(folder, model.tokenizer(), instruction);
        if (prompt != null) {
            return prompt;
        }
        JsonFile config = model.config().json();
        if (judges && config.string("model_type").equals("qwen3")) {
            return PairPrompt.ofQwen(model.tokenizer(), instruction);
        }
        if (judges || !instruction.isEmpty()) {
            throw new FormatException(folder.resolve("chat_template.jinja"), -1, "template",
                    "expected a chat template that shows messages of the roles query and document");
        }
        return null;
    }

    private static boolean appliesSigmoid(JsonFile settings, JsonFile config) throws FormatException {
        JsonFile from = settings.has("activation_fn") ? settings
                : config.has("sentence_transformers") ? config.object("sentence_transformers") : config;
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
     * allocates on the Java heap what a call takes, and nothing for a document but its score; a language model's pairs
     * are texts of their own.
     */
    public float[] score(String query, List<String> documents) {
        Objects.requireNonNull(query, "query");
        float[] scores = prompt == null ? model.scores(query, documents) : asked(query, documents);
        for (int i = 0; i < scores.length; i++) {
            scores[i] = activated(scores[i]);
        }
        return scores;
    }

    private float activated(float score) {
        return sigmoid ? Labels.sigmoid(score) : score;
    }

    private float[] asked(String query, List<String> documents) {
        List<ModelInput> inputs = model.inputs(documents, document -> askedInput(query, document));
        List<Float> scores = model.run(inputs, (_, output, row, _) -> output.getFloat(row, 0));
        float[] plain = new float[scores.size()];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = scores.get(i);
        }
        return plain;
    }

    private ModelInput askedInput(String query, String document) {
        return model.within(model.maxTokens(), limit -> prompt.input(query, document, limit));
    }

    /**
     * A query and a document for an {@link EncoderQueue}, which gives their score.
     *
     * @throws IllegalArgumentException as {@link #score(String, String)} does
     */
    public EncoderInput<Float> input(String query, String document) {
        return model.input(batches, () -> prompt == null ? model.input(query, document) : askedInput(query, document));
    }

    /** What runs its inputs. */
    HeadBatches<Float> batches() {
        return batches;
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

    /** Whether scores are sigmoids of the model's own numbers, as its files say. */
    public boolean appliesSigmoid() {
        return sigmoid;
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
        return Brief.of(model, "Reranker", maxTokens() + " tokens");
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
