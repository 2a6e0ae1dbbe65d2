package dev.fovea.model.sentence;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description;
import dev.fovea.ops.Pooling;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What turns token vectors into a text's vector, as the files of sentence-transformers give it: {@code modules.json},
 * the pooling module's {@code config.json} and {@code sentence_bert_config.json}. A directory without them is pooled
 * by the mean and not normalised, which is what sentence-transformers does with one.
 *
 * @param pooling how token vectors become one
 * @param normalize whether the result gets length 1
 * @param maxTokens tokens that a text may have, special tokens included
 * @param lowerCase whether texts are lower-cased before the tokenizer sees them
 */
public record SentenceConfig(Pooling pooling, boolean normalize, int maxTokens, boolean lowerCase) {
    /** The names under which models carry the transformer module's settings; the first that is there counts. */
    private static final List<String> TRANSFORMER_CONFIGS = List.of(
            "sentence_bert_config.json", "sentence_roberta_config.json", "sentence_xlm-roberta_config.json",
            "sentence_camembert_config.json");

    private static final String MODULES = "modules.json";

    /**
     * Reads the settings in {@code directory}.
     *
     * @param specials tokens that the tokenizer puts around each text; the limit must leave room for another
     * @throws NoSuchFileException if one names a file that is not there
     * @throws FormatException if they ask for what is not supported, or do not fit {@code model} or {@code specials}
     */
    public static SentenceConfig read(Path directory, Description model, int specials) throws IOException {
        Pooling pooling = Pooling.MEAN;
        boolean normalize = false;
        Path modules = directory.resolve(MODULES);
        if (Files.exists(modules)) {
            List<JsonFile> stages = stages(modules);
            pooling = pooling(directory, stages.get(1), model);
            normalize = stages.size() == 3;
        }
        for (String name : TRANSFORMER_CONFIGS) {
            if (Files.exists(directory.resolve(name))) {
                JsonFile json = JsonFile.read(directory.resolve(name));
                int maxTokens = maxTokens(json, directory, model, specials);
                return new SentenceConfig(pooling, normalize, maxTokens, json.bool("do_lower_case", false));
            }
        }
        return new SentenceConfig(pooling, normalize, defaultMaxTokens(directory, model, specials), false);
    }

    /** The modules: Transformer, Pooling and perhaps Normalize. */
    private static List<JsonFile> stages(Path modules) throws IOException {
        JsonElement root = JsonFile.parse(modules);
        if (!(root instanceof JsonArray array)) {
            throw new FormatException(modules, -1, "JSON", "expected an array of modules");
        }
        List<JsonFile> stages = new ArrayList<>();
        List<String> types = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            JsonFile stage = JsonFile.of(modules, "[" + i + "]", array.get(i));
            String type = stage.string("type");
            stages.add(stage);
            types.add(type.substring(type.lastIndexOf('.') + 1));
        }
        if (!types.equals(List.of("Transformer", "Pooling"))
                && !types.equals(List.of("Transformer", "Pooling", "Normalize"))) {
            throw new FormatException(modules, -1, "type",
                    "expected the modules Transformer, Pooling and perhaps Normalize, got " + types);
        }
        return stages;
    }

    private static Pooling pooling(Path directory, JsonFile stage, Description model) throws IOException {
        String path = stage.string("path");
        Path folder = directory.resolve(path).normalize();
        if (!folder.startsWith(directory.normalize())) {
            throw stage.wrong("path", "a folder of the model");
        }
        Path file = folder.resolve("config.json");
        if (!Files.exists(file)) {
            throw new NoSuchFileException(
                    file.toString(), null, "no " + path + "/config.json, which " + MODULES + " names");
        }
        JsonFile json = JsonFile.read(file);
        if (json.integer("word_embedding_dimension", 1, model.width()) != model.width()) {
            throw json.wrong("word_embedding_dimension", "the hidden_size " + model.width() + " of config.json");
        }
        return poolingMode(json);
    }

    /** The mode, by its name or by one flag per mode, as older files have it. */
    private static Pooling poolingMode(JsonFile json) throws FormatException {
        if (json.has("pooling_mode")) {
            return switch (json.string("pooling_mode")) {
                case "mean" -> Pooling.MEAN;
                case "cls" -> Pooling.CLS;
                case "lasttoken" -> Pooling.LAST;
                default -> throw json.wrong("pooling_mode", "mean, cls or lasttoken");
            };
        }
        List<Pooling> modes = new ArrayList<>();
        if (json.bool("pooling_mode_mean_tokens", !json.has("pooling_mode_cls_token"))) {
            modes.add(Pooling.MEAN);
        }
        if (json.bool("pooling_mode_cls_token", false)) {
            modes.add(Pooling.CLS);
        }
        if (json.bool("pooling_mode_lasttoken", false)) {
            modes.add(Pooling.LAST);
        }
        for (String other : List.of("max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens")) {
            if (json.bool("pooling_mode_" + other, false)) {
                throw json.wrong("pooling_mode_" + other, "false: mean, cls and lasttoken are supported");
            }
        }
        if (modes.size() != 1) {
            throw new FormatException(json.file(), -1, "pooling_mode",
                    "expected one of mean, cls and lasttoken, got " + modes);
        }
        return modes.getFirst();
    }

    private static int maxTokens(JsonFile json, Path directory, Description model, int specials) throws IOException {
        if (!json.has("max_seq_length")) {
            return defaultMaxTokens(directory, model, specials);
        }
        int maxTokens = json.integer("max_seq_length", 1);
        if (maxTokens <= specials) {
            throw json.wrong("max_seq_length", "more than the " + specials + " special tokens");
        }
        if (maxTokens > model.maxTokens()) {
            throw json.wrong("max_seq_length", "at most the " + model.maxTokens() + " positions of config.json");
        }
        return maxTokens;
    }

    /** As many as there are positions, unless the tokenizer's settings say less. */
    private static int defaultMaxTokens(Path directory, Description model, int specials) throws IOException {
        if (model.maxTokens() <= specials) {
            throw new FormatException(directory.resolve("config.json"), -1, "max_position_embeddings",
                    "expected room for more than the " + specials + " special tokens, got " + model.maxTokens()
                            + " positions");
        }
        Path file = directory.resolve("tokenizer_config.json");
        if (!Files.exists(file)) {
            return model.maxTokens();
        }
        JsonFile json = JsonFile.read(file);
        // Tokenizers without a limit state 1e30.
        int maxTokens = (int) Math.min(model.maxTokens(), json.positive("model_max_length", model.maxTokens()));
        if (maxTokens <= specials) {
            throw json.wrong("model_max_length", "more than the " + specials + " special tokens");
        }
        return maxTokens;
    }
}
