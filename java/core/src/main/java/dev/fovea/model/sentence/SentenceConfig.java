package dev.fovea.model.sentence;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description;
import dev.fovea.ops.Similarity;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What turns texts into token sequences and token vectors into a text's vector, as the files of sentence-transformers
 * give it: {@code modules.json} and the configs of its modules, {@code sentence_bert_config.json} and
 * {@code config_sentence_transformers.json}. A directory without them is pooled by the mean and not normalised, which
 * is what sentence-transformers does with one.
 *
 * @param pooling how token vectors become one; the results of several modes are concatenated
 * @param includePrompt whether the tokens of a prompt are pooled as well
 * @param behind what comes behind the pooling
 * @param maxTokens tokens that a text may have, special tokens included
 * @param keepsEnd whether a text that is too long loses its first tokens and not its last
 * @param lowerCase whether texts are lower-cased before the tokenizer sees them
 * @param prompts what the model wants before its texts
 * @param dimensions components that are kept of a vector, 0 for all
 * @param similarity what the model's vectors are compared with
 */
public record SentenceConfig(List<PoolingMode> pooling, boolean includePrompt, List<SentenceModule> behind,
        int maxTokens, boolean keepsEnd, boolean lowerCase, Prompts prompts, int dimensions, Similarity similarity) {
    /** The names under which models carry the transformer module's settings; the first that is there counts. */
    public static final List<String> TRANSFORMER_CONFIGS = List.of(
            "sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
            "sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json");

    private static final String SETTINGS = "config_sentence_transformers.json";

    private static final Set<String> TRANSFORMER_FIELDS = Set.of("max_seq_length", "do_lower_case", "transformer_task",
            "modality_config", "module_output_name");

    /** What is passed on to PyTorch, transformers and their processors: nothing, in the files that models have. */
    private static final Set<String> PASSED_ON = Set.of("model_args", "tokenizer_args", "config_args", "model_kwargs",
            "processor_kwargs", "tokenizer_kwargs", "config_kwargs", "processing_kwargs", "unpad_inputs", "query_length",
            "document_length", "query_expansion");

    /** One mode and perhaps a normalisation, of a model without other settings. */
    public static SentenceConfig of(PoolingMode pooling, boolean normalize, int maxTokens) {
        return of(pooling, normalize ? List.of(new SentenceModule.Normalize()) : List.of(), maxTokens);
    }

    /** One mode and what comes behind it, likewise. */
    public static SentenceConfig of(PoolingMode pooling, List<SentenceModule> behind, int maxTokens) {
        return new SentenceConfig(List.of(pooling), true, List.copyOf(behind), maxTokens, false, false, Prompts.NONE, 0, Similarity.COSINE);
    }

    /** The folder of the model in {@code root} that has {@code config.json}, the tokenizer and the weights. */
    public static Path transformerFolder(Path root) throws IOException {
        ModuleList modules = ModuleList.read(root);
        return modules == null ? root : modules.transformer();
    }

    /** The folder of the first module of a model of any kind, such as one with a head; {@code root} without a list. */
    public static Path firstFolder(Path root) throws IOException {
        return ModuleList.firstFolder(root);
    }

    /**
     * Reads the settings in {@code root}.
     *
     * @param specials tokens that the tokenizer puts around each text; the limit must leave room for another
     * @throws NoSuchFileException if one names a file that is not there
     * @throws FormatException if they ask for what is not supported, or do not fit {@code model} or {@code specials}
     */
    public static SentenceConfig read(Path root, Description model, int specials) throws IOException {
        ModuleList modules = ModuleList.read(root);
        Path transformer = modules == null ? root : modules.transformer();
        JsonFile settings = JsonFile.readIfPresent(root.resolve(SETTINGS));
        String type = settings.string("model_type", "SentenceTransformer");
        if (!type.equals("SentenceTransformer")) {
            throw settings.wrong("model_type", "SentenceTransformer");
        }
        PoolingConfig pooling = modules == null ? PoolingConfig.MEAN : PoolingConfig.read(modules.pooling(), model.width());
        int pooled = pooling.modes().size() * model.width();
        JsonFile module = transformerConfig(transformer);
        requireTokenVectors(module);
        var limits = TextLimits.of(transformer, model, specials);
        return new SentenceConfig(pooling.modes(), pooling.includePrompt(),
                modules == null ? List.of() : modules.behindPooling(pooled),
                limits.maxTokens(module), limits.keepsEnd(), module.bool("do_lower_case", false),
                Prompts.read(settings), settings.integer("truncate_dim", 1, 0), similarity(settings));
    }

    /**
     * Tokens that a model with a head takes of a text, special tokens included: by the rule of {@link #read}.
     *
     * @param folder that of the Transformer in {@code root}
     * @param instructed whether it has prompts
     * @throws FormatException if its settings ask for what is not supported with a head, or do not fit {@code model}
     */
    public static int maxTokensOfHead(Path root, Path folder, Description model, int specials, boolean instructed)
            throws IOException {
        JsonFile settings = JsonFile.readIfPresent(root.resolve(SETTINGS));
        if (!instructed && !Prompts.read(settings).byDefault().isEmpty()) {
            throw settings.wrong("default_prompt_name", "null, of a model with a head");
        }
        JsonFile module = transformerConfig(folder);
        if (module.bool("do_lower_case", false)) {
            throw module.wrong("do_lower_case", "false, of a model with a head");
        }
        var limits = TextLimits.of(folder, model, specials);
        limits.requireFirstTokens();
        return limits.maxTokens(module);
    }

    /** The prompts of the model in {@code root}. */
    public static Prompts prompts(Path root) throws IOException {
        return Prompts.read(JsonFile.readIfPresent(root.resolve(SETTINGS)));
    }

    /** Whether vectors have length 1. */
    public boolean normalizes() {
        return !behind.isEmpty() && behind.getLast() instanceof SentenceModule.Normalize;
    }

    /** The settings of the transformer module in {@code folder}; without fields if there are none. */
    private static JsonFile transformerConfig(Path folder) throws IOException {
        String name = TRANSFORMER_CONFIGS.stream().filter(one -> Files.exists(folder.resolve(one))).findFirst()
                .orElse(TRANSFORMER_CONFIGS.getFirst());
        JsonFile json = JsonFile.readIfPresent(folder.resolve(name));
        for (String field : PASSED_ON) {
            if (json.has(field) && !json.isEmpty(field)) {
                throw json.wrong(field, "nothing");
            }
        }
        json.requireKnown(TRANSFORMER_FIELDS, PASSED_ON);
        return json;
    }

    /** The module yields the last hidden state of texts. */
    private static void requireTokenVectors(JsonFile json) throws FormatException {
        json.require("transformer_task", "feature-extraction");
        json.require("module_output_name", "token_embeddings");
        if (json.has("modality_config")) {
            JsonFile modalities = json.object("modality_config");
            if (!modalities.has("text")) {
                throw json.wrong("modality_config", "the modality text");
            }
            if (modalities.has("message")) {
                throw json.wrong("modality_config", "the modality text alone: texts are not put into a chat");
            }
            JsonFile text = modalities.object("text");
            text.require("method", "forward");
            text.require("method_output_name", "last_hidden_state");
        }
    }

    private static Similarity similarity(JsonFile settings) throws FormatException {
        String name = settings.string("similarity_fn_name", "cosine");
        return Similarity.of(name).orElseThrow(
                () -> settings.wrong("similarity_fn_name", "cosine, dot, euclidean or manhattan"));
    }
}
