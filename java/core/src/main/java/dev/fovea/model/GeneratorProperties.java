package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.DecoderConfig;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderDecoderConfig;
import dev.fovea.model.family.GgufDecoder;
import dev.fovea.model.family.GgufT5;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a language model is, in words. */
final class GeneratorProperties {
    private GeneratorProperties() {}

    static boolean takes(Path path) throws IOException {
        if (EncoderSource.isFile(path)) {
            try (GgufWeights file = GgufWeights.open(path)) {
                return GgufDecoder.isDecoder(file) || GgufT5.hasDecoder(file);
            }
        }
        Path config = path.resolve("config.json");
        // Of a language model that does not write, sentence-transformers says what it does.
        return Files.isRegularFile(config) && !Files.exists(path.resolve("modules.json"))
                && (DecoderConfig.takes(JsonFile.read(config)) || EncoderDecoderConfig.takes(JsonFile.read(config)));
    }

    static Map<String, String> of(Path path) throws IOException {
        GeneratorSource source = GeneratorSource.of(path);
        Map<String, String> properties = new LinkedHashMap<>();
        try (Weights file = source.openWeights()) {
            if (source.hasEncoder()) {
                return ofBoth(path, source, file);
            }
            DecoderConfig config = source.config();
            Description d = config.decoder(Math.min(config.positions(), GeneratorOptions.DEFAULT_CONTEXT));
            ModelWeights weights = config.weights(d, file);
            properties.put(EncoderSource.isFile(path) ? "file" : "directory", path.toString());
            properties.put("family", Excerpt.of(config.json().string("model_type")) + ", " + d.layers() + " layers of width "
                    + d.width() + " with " + heads(d.attention()) + " of " + d.attention().headDim() + ", feed-forward "
                    + d.feedForward().width());
            properties.put("weights", weights(file.names().size(), weights.layouts()));
            properties.put("tokenizer", tokenizer(source, d.vocabulary()));
            properties.put("context", config.positions() + " tokens");
        }
        return properties;
    }

    private static Map<String, String> ofBoth(Path path, GeneratorSource source, Weights file) throws IOException {
        EncoderDecoderConfig config = source.encoderDecoder();
        Description encoder = config.encoder(config.positions());
        Description d = config.decoder(config.positions());
        Map<String, Integer> layouts = new TreeMap<>(config.encoderWeights(encoder, file).layouts());
        config.decoderWeights(d, file).layouts().forEach((layout, count) -> layouts.merge(layout, count, Integer::sum));
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put(EncoderSource.isFile(path) ? "file" : "directory", path.toString());
        properties.put("family", Excerpt.of(config.json().string("model_type")) + ", an encoder of " + encoder.layers()
                + " and a decoder of " + d.layers() + " layers of width " + d.width() + " with " + heads(d.attention()) + " of "
                + d.attention().headDim() + ", feed-forward " + d.feedForward().width());
        properties.put("weights", weights(file.names().size(), layouts));
        properties.put("tokenizer", tokenizer(source, d.vocabulary()));
        properties.put("context", config.positions() + " tokens of a source, and of an answer");
        return properties;
    }

    private static String tokenizer(GeneratorSource source, int vocabulary) throws IOException {
        try (Tokenizer tokenizer = source.openTokenizer()) {
            return tokenizer.vocabularySize() + " tokens, of a vocabulary of " + vocabulary;
        } catch (FormatException | ModelNotFoundException e) {
            return "none, token ids alone: " + e.getMessage();
        }
    }

    private static String heads(Description.Attention attention) {
        return attention.heads() == attention.kvHeads() ? attention.heads() + " heads"
                : attention.heads() + " heads on " + attention.kvHeads();
    }

    /** A tensor may hold several weights, such as those of query, key and value. */
    private static String weights(int tensors, Map<String, Integer> layouts) {
        List<String> types = new ArrayList<>();
        layouts.forEach((layout, count) -> types.add(count + " " + layout));
        int weights = layouts.values().stream().mapToInt(Integer::intValue).sum();
        return weights + " in " + tensors + " tensors: " + String.join(", ", types);
    }
}
