package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.GgufEncoder;
import dev.fovea.model.sentence.DenseActivation;
import dev.fovea.model.sentence.PoolingMode;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentenceModule;
import dev.fovea.tensor.Shape;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file of an encoder as llama.cpp writes it: metadata, tokenizer and weights. It does not say whether vectors are
 * normalised; they are, as llama.cpp's own programs do it.
 *
 * @param weights the file, open: a header of many tokens is read once
 */
record GgufSource(GgufWeights weights) implements EncoderSource {
    static GgufSource open(Path file) throws IOException {
        return new GgufSource(GgufWeights.open(file));
    }

    @Override
    public Weights openWeights() {
        return weights;
    }

    @Override
    public EncoderConfig config() throws IOException {
        return GgufEncoder.read(weights);
    }

    @Override
    public Tokenizer openTokenizer(EncoderConfig config) throws IOException {
        return Tokenizer.load(weights.metadata());
    }

    @Override
    public Path tokenizerFile() {
        return weights.file();
    }

    @Override
    public SentenceConfig sentence(Description encoder, int specials) throws IOException {
        GgufMetadata metadata = weights.metadata();
        String architecture = metadata.string("general.architecture");
        String length = architecture + ".context_length";
        int maxTokens = Math.min(metadata.integer(length, 1), encoder.maxTokens());
        if (maxTokens <= specials) {
            throw metadata.error(length, "expected room for more than the " + specials + " special tokens, got " + maxTokens);
        }
        return SentenceConfig.of(pooling(metadata, architecture + ".pooling_type"), behindPooling(encoder.width()), maxTokens);
    }

    /** The layers that EmbeddingGemma has behind its pooling, if the file has them, and a normalisation. */
    private List<SentenceModule> behindPooling(int width) throws FormatException {
        List<SentenceModule> modules = new ArrayList<>();
        int inputs = width;
        for (String name : List.of("dense_2", "dense_3")) {
            if (weights.contains(name + ".weight")) {
                Shape shape = weights.shape(name + ".weight");
                if (shape.rank() != 2 || shape.size(1) != inputs) {
                    throw new FormatException(weights.file(), -1, name + ".weight", "expected rows of " + inputs
                            + " components, got shape " + shape);
                }
                int outputs = (int) shape.size(0);
                modules.add(new SentenceModule.Dense(weights.file(), name, inputs, outputs, false, DenseActivation.IDENTITY));
                inputs = outputs;
            }
        }
        modules.add(new SentenceModule.Normalize());
        return modules;
    }

    /** As llama.cpp numbers them; without one, the mean, as of a directory. */
    private static PoolingMode pooling(GgufMetadata metadata, String key) throws FormatException {
        int type = metadata.integer(key, 0, 0);
        return switch (type) {
            case 0, 1 -> PoolingMode.MEAN;
            case 2 -> PoolingMode.CLS;
            case 3 -> PoolingMode.FINAL_TOKEN;
            default -> throw metadata.error(key, "expected 0 (none), 1 (mean), 2 (cls) or 3 (last), got " + type
                    + (type == 4 ? " (rank): a reranker" : ""));
        };
    }

    @Override
    public Map<String, String> places(EncoderConfig config) throws IOException {
        Map<String, String> places = new LinkedHashMap<>();
        GgufMetadata metadata = weights.metadata();
        places.put("file", weights.file().toString());
        places.put("family", Excerpt.of(metadata.string("general.architecture")));
        places.put("weights", weights.file().getFileName().toString());
        places.put("tokenizer", Excerpt.of(metadata.string("tokenizer.ggml.model")) + " of " + weights.file().getFileName());
        return places;
    }

    @Override
    public String settings() {
        return "metadata of " + weights.file().getFileName();
    }
}
