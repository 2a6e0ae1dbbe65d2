package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** The {@code config.json} of a language model, and what its family makes of it. */
public final class DecoderConfig {
    /** What {@link #family} knows. */
    static final List<String> MODEL_TYPES = List.of("gemma2", "gemma3", "gemma3_text", "gpt2", "llama", "mistral",
            "phi3", "qwen2", "qwen3", "smollm3");

    static final String OUTPUT = "lm_head";

    private final DecoderFamily family;
    private final JsonFile config;

    /** What the file calls its weights, where these are not the family's own names; else null. */
    private final WeightNames given;

    /** What the file has in another way than the family's own files. */
    private final UnaryOperator<Description> refit;

    private DecoderConfig(DecoderFamily family, JsonFile config, WeightNames given, UnaryOperator<Description> refit) {
        this.family = family;
        this.config = config;
        this.given = given;
        this.refit = refit;
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws FormatException if it is not that of a language model of a known family; naming file, field and value
     */
    public static DecoderConfig read(Path file) throws IOException {
        return of(JsonFile.read(file), null, UnaryOperator.identity());
    }

    /**
     * A configuration that another file carries.
     *
     * @param names of the weights in that file, null for the family's own
     * @param refit what that file has in another way
     */
    static DecoderConfig of(JsonFile config, WeightNames names, UnaryOperator<Description> refit) throws FormatException {
        DecoderFamily family = family(config);
        JsonFile text = family.text(config);
        DecoderFields.refuseEncoders(text);
        text.require("is_causal", true);
        text.require("use_bidirectional_attention", false);
        EncoderFields.requireAbsent(config, "quantization_config");
        return new DecoderConfig(family, text, names, refit);
    }

    /** Whether a configuration is that of a language model of a known family. */
    public static boolean takes(JsonFile config) throws FormatException {
        return MODEL_TYPES.contains(config.string("model_type", ""));
    }

    /** The family of a configuration. A start loads the class of one, not of all. */
    static DecoderFamily family(JsonFile config) throws FormatException {
        return switch (config.string("model_type")) {
            case LlamaFamily.LLAMA, LlamaFamily.MISTRAL -> new LlamaFamily();
            case "qwen2", "qwen3" -> new QwenFamily();
            case "gemma2", "gemma3", "gemma3_text" -> new GemmaFamily();
            case "phi3" -> new Phi3Family();
            case "smollm3" -> new SmolLm3Family();
            case "gpt2" -> new Gpt2Family();
            default -> throw config.wrong("model_type", "one of " + MODEL_TYPES);
        };
    }

    /** The configuration itself. */
    public JsonFile json() {
        return config;
    }

    /** The tokens that the model was trained for. */
    public int positions() throws FormatException {
        return family.positions(config);
    }

    /** The tokens of the longest sequence that it reads: more than it was trained for, where it scales RoPE by need. */
    public int longest() throws FormatException {
        return family.longest(config);
    }

    /**
     * The model.
     *
     * @param context tokens of the longest sequence
     * @throws FormatException if a value makes no sense or is not supported; naming file, field and value
     */
    public Description decoder(int context) throws FormatException {
        try {
            return refit.apply(family.describe(config, context));
        } catch (IllegalArgumentException e) {
            throw new FormatException(config.file(), -1, "config", e.getMessage(), e);
        }
    }

    /**
     * Refuses a configuration that does not say the same, but for how it spells positions.
     *
     * @throws FormatException naming the first part that differs
     */
    public void requireSame(DecoderConfig other) throws FormatException {
        Description mine = decoder(positions()).withPositions(new Positions.None());
        Description theirs = other.decoder(other.positions()).withPositions(new Positions.None());
        Norms norms = mine.norms();
        boolean same = mine.equals(theirs) || theirs.norms().gammaFromOne() && mine.withNorms(new Norms(norms.kind(), norms.place(),
                norms.epsilon(), norms.bias(), true, norms.afterEmbeddings(), norms.afterLast())).equals(theirs);
        if (!same) {
            throw new FormatException(other.config.file(), -1, "config", "expected what GGUF can say, " + mine + ", got " + theirs);
        }
    }

    /**
     * Finds the weights that the model demands.
     *
     * @throws FormatException if one is missing or is not of the shape that the description says
     */
    public ModelWeights weights(Description description, Weights file) throws FormatException {
        return ModelWeights.of(description, names(file), file);
    }

    private WeightNames names(Weights file) throws FormatException {
        if (given != null) {
            return given;
        }
        WeightNames names = family.names(config);
        for (String prefix : family.prefixes()) {
            if (file.contains(prefix + names.candidates(Part.WORDS, 0, false).getFirst())) {
                return names.withPrefix(prefix).with(Map.of(Part.OUTPUT, output(file)));
            }
        }
        throw new FormatException(file.file(), -1, names.candidates(Part.WORDS, 0, false).getFirst(),
                "no such tensor, with no prefix nor with one of "
                        + family.prefixes().stream().filter(prefix -> !prefix.isEmpty()).collect(Collectors.joining(", "))
                        + "; there are " + file.brief());
    }

    /** That of a model of images too stands behind its language model's name. */
    private static String output(Weights file) {
        return file.contains("language_model." + OUTPUT + ".weight") ? "language_model." + OUTPUT : OUTPUT;
    }
}
