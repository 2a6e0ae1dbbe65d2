package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.sentence.Prompts;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentencePipeline;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a loaded model is, in words. */
final class ModelProperties {
    private ModelProperties() {}

    static Map<String, String> of(EncoderSource source, EncoderConfig encoder, Description description,
            SentencePipeline pipeline, Tokenizer tokenizer, Weights weights) {
        SentenceConfig config = pipeline.config();
        Map<String, String> properties = new LinkedHashMap<>();
        try {
            properties.putAll(source.places(encoder));
            properties.merge("family", ", " + count(description.layers(), "layer") + " of width " + description.width() + " with "
                    + description.attention().heads() + " heads", String::concat);
            properties.merge("weights", ", " + weights.names().size() + " tensors", String::concat);
            int specials = tokenizer.prefix().length + tokenizer.suffix().length;
            properties.merge("tokenizer", ", " + tokenizer.vocabularySize() + " tokens, " + specials
                    + " special tokens around a text", String::concat);
            properties.put("pipeline", pipeline.describe());
            properties.put("dimensions", Integer.toString(pipeline.dimension()));
            properties.put("limit", config.maxTokens() + " tokens; of longer texts, the "
                    + (config.keepsEnd() ? "last" : "first") + " are kept");
            properties.put("prompts", prompts(config.prompts()));
            properties.put("similarity", config.similarity().name().toLowerCase(Locale.ROOT));
            properties.put("settings", source.settings());
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

    /** Such as {@code 1 layer} and {@code 2 layers}. */
    static String count(int count, String name) {
        return count + " " + name + (count == 1 ? "" : "s");
    }
}
