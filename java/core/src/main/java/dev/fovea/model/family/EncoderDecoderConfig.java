package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The configuration of a language model whose encoder reads a source and whose decoder writes. */
public final class EncoderDecoderConfig {
    private static final List<String> MODEL_TYPES = List.of("mt5", "t5");

    private final JsonFile config;
    private final WeightNames encoderNames;
    private final WeightNames decoderNames;
    private final int start;

    private EncoderDecoderConfig(JsonFile config, WeightNames encoderNames, WeightNames decoderNames, int start) {
        this.config = config;
        this.encoderNames = encoderNames;
        this.decoderNames = decoderNames;
        this.start = start;
    }

    /** Whether a configuration is that of such a model, of a known family, and not of its encoder alone. */
    public static boolean takes(JsonFile config) throws FormatException {
        return MODEL_TYPES.contains(config.string("model_type", "")) && !(config.has("architectures")
                && config.strings("architectures").stream().allMatch(name -> name.endsWith("EncoderModel")));
    }

    /**
     * Reads a {@code config.json}.
     *
     * @param generation {@code generation_config.json}, whose first token of an answer comes before that of the other
     * @throws FormatException if a value makes no sense or is not supported; naming file, field and value
     */
    public static EncoderDecoderConfig read(Path file, JsonFile generation) throws IOException {
        JsonFile config = JsonFile.read(file);
        EncoderFields.requireAbsent(config, "quantization_config");
        JsonFile from = generation.has("decoder_start_token_id") ? generation : config;
        return of(config, new T5Family().names(config), T5Family.decoderNames(config),
                from.integer("decoder_start_token_id", 0));
    }

    /** A configuration that another file carries, with the names of the weights in it. */
    static EncoderDecoderConfig of(JsonFile config, WeightNames encoderNames, WeightNames decoderNames, int start)
            throws FormatException {
        if (start >= config.integer("vocab_size", 1)) {
            throw config.wrong("decoder_start_token_id", "an id below the vocab_size " + config.integer("vocab_size", 1)
                    + ", got " + start);
        }
        return new EncoderDecoderConfig(config, encoderNames, decoderNames, start);
    }

    /** The configuration itself. */
    public JsonFile json() {
        return config;
    }

    /** The tokens that it was trained for; it reads and writes longer ones too. */
    public int positions() throws FormatException {
        return T5Family.positions(config);
    }

    /** The token that every answer begins behind. */
    public int start() {
        return start;
    }

    /** What reads, sources of up to {@code maxTokens}. */
    public Description encoder(int maxTokens) throws FormatException {
        return T5Family.encoder(config, maxTokens);
    }

    /** What writes, with a head for the next token. */
    public Description decoder(int maxTokens) throws FormatException {
        return T5Family.decoder(config, maxTokens);
    }

    /** The weights of the encoder. */
    public ModelWeights encoderWeights(Description encoder, Weights file) throws FormatException {
        return ModelWeights.of(encoder, encoderNames, file);
    }

    /** Those of the decoder, as the file has them. */
    ModelWeights storedDecoderWeights(Description decoder, Weights file) throws FormatException {
        return ModelWeights.of(decoder, decoderNames, file);
    }

    /** Those of the decoder. The norm before its logits has the factor that they have. */
    public ModelWeights decoderWeights(Description decoder, Weights file) throws FormatException {
        ModelWeights weights = storedDecoderWeights(decoder, file);
        return weights.with(Part.FINAL_NORM,
                NormWeights.of(weights.weight(Part.FINAL_NORM, 0), false, T5Family.outputScale(config)));
    }
}
