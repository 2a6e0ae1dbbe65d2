package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.family.Description;
import dev.fovea.model.sentence.Prompts;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentencePipeline;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** What a loaded model is, in words. */
final class ModelProperties {
    /** The files whose settings are followed, beside configs of modules. */
    private static final List<String> SETTINGS = List.of("modules.json", "config_sentence_transformers.json",
            "sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
            "sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json");

    private ModelProperties() {}

    static Map<String, String> of(Path directory, ModelFiles files, Description description, SentencePipeline pipeline,
            Tokenizer tokenizer, Weights weights) {
        SentenceConfig config = pipeline.config();
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("directory", directory.toString());
        try {
            properties.put("family", Excerpt.of(files.modelType()) + ", " + description.layers() + " layers of width "
                    + description.width() + " with " + description.attention().heads() + " heads");
            properties.put("weights", directory.relativize(files.weights()) + ", " + weights.names().size() + " tensors");
            int specials = tokenizer.prefix().length + tokenizer.suffix().length;
            properties.put("tokenizer", directory.relativize(files.tokenizer()) + ", " + tokenizer.vocabularySize()
                    + " tokens, " + specials + " special tokens around a text");
            properties.put("pipeline", pipeline.describe());
            properties.put("dimensions", Integer.toString(pipeline.dimension()));
            properties.put("limit", config.maxTokens() + " tokens; of longer texts, the "
                    + (config.keepsEnd() ? "last" : "first") + " are kept");
            properties.put("prompts", prompts(config.prompts()));
            properties.put("similarity", config.similarity().name().toLowerCase(Locale.ROOT));
            properties.put("settings", settings(directory, files.folder()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties;
    }

    private static String prompts(Prompts prompts) {
        List<String> list = new ArrayList<>();
        prompts.texts().forEach((name, text) -> list.add(Excerpt.of(name, 40) + " = \"" + Excerpt.of(text, 60) + "\""));
        return (list.isEmpty() ? "none" : String.join(", ", list.subList(0, Math.min(12, list.size()))))
                + (prompts.byDefault().isEmpty() ? "" : "; by default \"" + Excerpt.of(prompts.byDefault(), 60) + "\"");
    }

    private static String settings(Path directory, Path folder) throws IOException {
        List<String> found = new ArrayList<>();
        for (Path place : directory.equals(folder) ? List.of(directory) : List.of(directory, folder)) {
            for (String name : SETTINGS) {
                if (Files.exists(place.resolve(name))) {
                    found.add(directory.relativize(place.resolve(name)).toString());
                }
            }
        }
        try (Stream<Path> modules = Files.list(directory)) {
            modules.filter(module -> module.getFileName().toString().matches("\\d+_(Pooling|Dense|LayerNorm)"))
                    .map(module -> module.resolve("config.json")).filter(Files::exists).sorted()
                    .forEach(config -> found.add(directory.relativize(config).toString()));
        }
        return found.isEmpty() ? "none" : String.join(", ", found);
    }
}
