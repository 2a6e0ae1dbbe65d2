package dev.fovea.model.family;

import dev.fovea.Engine;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The {@code config.json} of an encoder, and what its family makes of it. */
public final class EncoderConfig {
    /** What {@link #family} knows. */
    private static final List<String> MODEL_TYPES = List.of("albert", "bert", "camembert", "clip", "clip_text_model",
            "deberta-v2", "distilbert", "electra", "eurobert", "modernbert", "mpnet", "mt5", "new", "nomic_bert",
            "roberta", "t5", "xlm-roberta");

    /** What stands before the names in files that hold a whole pipeline of sentence-transformers, by version. */
    private static final List<String> SENTENCE_MODULES = List.of("", "0.auto_model.", "0.model.");

    private final EncoderFamily family;
    private final JsonFile config;
    private final Description encoder;

    /** What the file calls its weights, where these are not the family's own names; else null. */
    private final WeightNames given;

    private EncoderConfig(EncoderFamily family, JsonFile config, WeightNames given, UnaryOperator<Description> refit)
            throws FormatException {
        this.family = family;
        this.config = config;
        this.given = given;
        try {
            this.encoder = refit.apply(family.describe(config));
        } catch (IllegalArgumentException e) {
            throw new FormatException(config.file(), -1, "config", e.getMessage(), e);
        }
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws FormatException if it is not that of an encoder of a known family, a value makes no sense, or the weights
     *     are those of a quantization of transformers; naming file, field and value
     */
    public static EncoderConfig read(Path file) throws IOException {
        JsonFile json = JsonFile.read(file);
        if (json.has("quantization_config")) {
            throw json.wrong("quantization_config", "weights as they were trained");
        }
        return of(json, null, UnaryOperator.identity());
    }

    /**
     * A configuration that another file carries.
     *
     * @param names of the weights in that file, null for the family's own
     * @param refit what that file has in another way
     */
    static EncoderConfig of(JsonFile config, WeightNames names, UnaryOperator<Description> refit) throws FormatException {
        return new EncoderConfig(family(config), config, names, refit);
    }

    /** The family of a configuration. A start loads the class of one, not of all. */
    private static EncoderFamily family(JsonFile config) throws FormatException {
        return switch (config.string("model_type")) {
            case "bert" -> JinaBertFamily.BIAS.equals(config.string("position_embedding_type", "absolute"))
                    ? new JinaBertFamily() : new BertFamily();
            case "roberta", "xlm-roberta", "camembert" -> new BertFamily();
            case "distilbert" -> new DistilBertFamily();
            case "electra" -> new ElectraFamily();
            case "albert" -> new AlbertFamily();
            case "mpnet" -> new MpnetFamily();
            case "nomic_bert" -> new NomicBertFamily();
            case "new" -> new GteFamily();
            case "modernbert" -> new ModernBertFamily();
            case "eurobert" -> new EuroBertFamily();
            case "clip", "clip_text_model" -> new ClipTextFamily();
            case "deberta-v2" -> new DebertaFamily();
            case "t5", "mt5" -> new T5Family();
            default -> {
                List<String> languageModels = new ArrayList<>(DecoderConfig.MODEL_TYPES);
                languageModels.remove("gemma3"); // whose text model lies within
                if (!languageModels.contains(config.string("model_type"))) {
                    throw config.wrong("model_type", "one of " + MODEL_TYPES + ", or of language models one of "
                            + languageModels);
                }
                yield new DecoderStack(DecoderConfig.family(config));
            }
        };
    }

    /** The configuration itself. */
    public JsonFile json() {
        return config;
    }

    /** {@code model_type}. */
    public String modelType() throws FormatException {
        return config.string("model_type");
    }

    /** The encoder without a head. */
    public Description encoder() {
        return encoder;
    }

    /**
     * Refuses a tokenizer whose tokens are more than the encoder has embeddings.
     *
     * @param file of the tokenizer
     */
    public void requireRoom(Tokenizer tokenizer, Path file) throws FormatException {
        if (tokenizer.vocabularySize() > encoder.vocabulary()) {
            throw new FormatException(file, -1, "vocabulary", "expected ids below the vocab_size " + encoder.vocabulary()
                    + " of " + config.file().getFileName() + ", got " + (tokenizer.vocabularySize() - 1));
        }
    }

    /**
     * Finds the weights that a description of this encoder demands, those of its head not among them.
     *
     * @throws FormatException if one is missing, or is not of the shape that the description says
     */
    public Weighted weights(Description description, Weights file) throws FormatException {
        return new Weighted(description, ModelWeights.of(description, names(file), file), null);
    }

    /**
     * A description and its weights.
     *
     * @param matrixFile has the matrix of {@link Part#HEAD_OUTPUT}; null if the others' file does
     */
    public record Weighted(Description description, ModelWeights weights, Weights matrixFile) {
        /**
         * Refuses weights that are not finite.
         *
         * @throws FormatException naming the first tensor, and where in it
         */
        public void requireFinite(Weights file, Engine engine) throws FormatException {
            FiniteWeights.require(description, weights, file, engine, matrixFile);
        }
    }

    /**
     * The encoder with the head that scores sequences.
     *
     * @throws FormatException also if the family has none, or one whose scores are not those of labels
     */
    public Weighted classifier(Description description, int labels, Weights file) throws FormatException {
        NamedHead head = family.classifier(config, description, labels, prefix(file));
        boolean fits = head != null && head.head().outputs() == labels;
        return headed(description, fits ? head : null, file, "sequence classification");
    }

    /** Whether a configuration is that of a language model. */
    public static boolean isLanguageModel(JsonFile config) throws FormatException {
        return DecoderConfig.takes(config);
    }

    /** Whether the layers are those of a language model, whose logits {@link #judge} reads. */
    public boolean isLanguageModel() {
        return family instanceof DecoderStack;
    }

    /**
     * A language model that answers with one of two tokens: the score is what it gives the first more than the second
     * behind the last token.
     *
     * @param yes the id of a token
     * @param no likewise, or −1 for the logit of the first alone
     * @throws FormatException also if an id is not below the vocabulary
     */
    public Weighted judge(Description description, int yes, int no, Weights file) throws FormatException {
        String output = ((DecoderStack) family).isTied(config) ? names(file).of(Part.WORDS, 0)
                : given == null ? DecoderConfig.OUTPUT : given.of(Part.OUTPUT, 0);
        return judge(description, output, description.vocabulary(), yes, no, file);
    }

    /** Likewise, by two rows of a matrix of so many. */
    Weighted judge(Description description, String output, int rows, int yes, int no, Weights file) throws FormatException {
        Description described = description.withHead(new Head.Scores(Head.Reading.LAST, null, 1, false, false));
        WeightNames names = names(file).with(Map.of(Part.HEAD_OUTPUT, output));
        Weight row = difference(ModelWeights.rows(names, Part.HEAD_OUTPUT, rows, description, file), yes, no);
        return new Weighted(described, ModelWeights.of(description, names, file).with(Part.HEAD_OUTPUT, row), null);
    }

    private static Weight difference(Weight rows, int yes, int no) {
        int width = (int) rows.size(1);
        float[] first = new float[width];
        float[] second = new float[width];
        rows.read(yes, 0, width, first, 0);
        if (no >= 0) {
            rows.read(no, 0, width, second, 0);
        }
        Tensor row = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(1, width));
        for (int i = 0; i < width; i++) {
            row.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, first[i] - second[i]);
        }
        return Weight.of(row);
    }

    /** The encoder with the head that scores tokens. */
    public Weighted tagger(Description description, int labels, Weights file) throws FormatException {
        return headed(description, family.tagger(config, description, labels, prefix(file)), file,
                "token classification");
    }

    /** The encoder with the head that scores words. */
    public Weighted words(Description description, Weights file) throws FormatException {
        return headed(description, family.words(config, description, prefix(file)), file, "masked words");
    }

    /**
     * The encoder with vectors of tokens.
     *
     * @param name of the matrix that makes them, without an ending
     * @param matrixFile where that is; may be {@code file}
     * @throws FormatException also if no token attends to some, but positions enter as a bias of their own
     */
    public Weighted tokenVectors(Description description, Head.TokenVectors head, String name, Weights matrixFile,
            Weights file) throws FormatException {
        if (head.hidesSecond() && (description.positions() instanceof Positions.RelativeBias
                || description.positions() instanceof Positions.Disentangled)) {
            throw config.wrong("model_type", "a family without relative positions, where no token attends to masks");
        }
        Description described = description.withHead(head);
        WeightNames names = names(file).with(Map.of(Part.HEAD_OUTPUT, name));
        ModelWeights weights = ModelWeights.of(described, names, file, Part.HEAD_OUTPUT, matrixFile);
        return new Weighted(described, weights, matrixFile);
    }

    private Weighted headed(Description description, NamedHead head, Weights file, String task)
            throws FormatException {
        if (head == null) {
            throw config.wrong("model_type", "a family with a head for " + task);
        }
        Description described = description.withHead(head.head());
        WeightNames names = head.addTo(names(file));
        ModelWeights weights = ModelWeights.of(described, names, file);
        return new Weighted(described, weights, null);
    }

    private WeightNames names(Weights file) throws FormatException {
        return given != null ? given : family.names(config).withPrefix(prefix(file));
    }

    private String prefix(Weights file) throws FormatException {
        WeightNames names = family.names(config);
        for (String module : SENTENCE_MODULES) {
            for (String prefix : family.prefixes()) {
                for (String candidate : names.candidates(Part.WORDS, 0, false)) {
                    if (file.contains(module + prefix + candidate)) {
                        return module + prefix;
                    }
                }
            }
        }
        throw new FormatException(file.file(), -1, names.candidates(Part.WORDS, 0, false).getFirst(),
                "no such tensor, with no prefix nor with one of "
                        + Stream.concat(family.prefixes().stream(), SENTENCE_MODULES.stream()).filter(prefix -> !prefix.isEmpty())
                                .collect(Collectors.joining(", "))
                        + "; there are " + file.brief());
    }
}
