package dev.fovea.model.sentence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.TinyModel;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Similarity;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SentenceConfigTest {
    private static final Description BERT = Description.of(
            50, 33, 2, 20, Attention.of(3, 11), new FeedForward(71, Activation.GELU_ERF, false, true));

    @TempDir
    private Path directory;

    @Test
    void shouldPoolByTheMeanWhenThereAreNoFiles() throws Exception {
        assertEquals(config(PoolingMode.MEAN, false, 20, false), SentenceConfig.read(directory, BERT, 2));
    }

    @Test
    void shouldReadTheFilesOfSentenceTransformers() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        assertEquals(config(PoolingMode.CLS, true, 12, false), SentenceConfig.read(directory, BERT, 2));
        write("sentence_bert_config.json", "{\"max_seq_length\": null, \"do_lower_case\": true}");
        assertEquals(config(PoolingMode.CLS, true, 20, true), SentenceConfig.read(directory, BERT, 2));
    }

    @ParameterizedTest
    @EnumSource(PoolingMode.class)
    void shouldReadThePoolingModeByItsName(PoolingMode pooling) throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", false, 12);
        write("1_Pooling/config.json", "{\"pooling_mode\": \"" + pooling.word() + "\"}");
        assertEquals(List.of(pooling), SentenceConfig.read(directory, BERT, 2).pooling());
        write("1_Pooling/config.json", "{\"pooling_mode\": null, \"" + pooling.flag() + "\": true}");
        assertEquals(List.of(pooling), SentenceConfig.read(directory, BERT, 2).pooling());
    }

    @Test
    void shouldReadPoolingsThatAreConcatenated() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", false, 12);
        write("1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true, \"pooling_mode_cls_token\": true}");
        assertEquals(List.of(PoolingMode.CLS, PoolingMode.MEAN), SentenceConfig.read(directory, BERT, 2).pooling());
        write("1_Pooling/config.json", "{\"embedding_dimension\": 33, \"pooling_mode\": [\"mean\", \"cls\"]}");
        assertEquals(List.of(PoolingMode.MEAN, PoolingMode.CLS), SentenceConfig.read(directory, BERT, 2).pooling());
    }

    @Test
    void shouldReadPromptsDimensionsAndSimilarity() throws Exception {
        write("config_sentence_transformers.json", """
                {"__version__": {"sentence_transformers": "5.1.0"}, "model_type": "SentenceTransformer",
                 "prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": "document",
                 "similarity_fn_name": "dot", "truncate_dim": 16}
                """);
        SentenceConfig config = SentenceConfig.read(directory, BERT, 2);
        assertEquals(Map.of("query", "query: ", "document", "passage: "), config.prompts().texts());
        assertEquals("passage: ", config.prompts().byDefault());
        assertEquals("query: ", config.prompts().resolve("query", "m"));
        assertEquals("Frage: ", config.prompts().resolve("Frage: ", "m"));
        assertEquals("", config.prompts().resolve("", "m"));
        assertEquals(Similarity.DOT, config.similarity());
        assertEquals(16, config.dimensions());
        var e = assertThrows(IllegalArgumentException.class, () -> config.prompts().resolve("qury", "m"));
        assertEquals("no prompt is called 'qury'; model m has query, document, and a prompt's text has a space or a colon"
                + " in it", e.getMessage());
    }

    @Test
    void shouldTakeTheEmptyDefaultsThatSentenceTransformersWrites() throws Exception {
        write("config_sentence_transformers.json", """
                {"prompts": {"query": "", "document": ""}, "default_prompt_name": null, "similarity_fn_name": null}
                """);
        SentenceConfig config = SentenceConfig.read(directory, BERT, 2);
        assertEquals("", config.prompts().byDefault());
        assertEquals(Similarity.COSINE, config.similarity());
        write("config_sentence_transformers.json", "{\"default_prompt_name\": \"query\"}");
        assertEquals("", SentenceConfig.read(directory, BERT, 2).prompts().byDefault());
    }

    @Test
    void shouldReadTheModulesOfNewerVersions() throws Exception {
        write("modules.json", """
                [{"type": "sentence_transformers.base.modules.transformer.Transformer", "path": ""},
                 {"type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling", "path": "1_Pooling"},
                 {"type": "sentence_transformers.base.modules.dense.Dense", "path": "2_Dense"},
                 {"type": "sentence_transformers.models.LayerNorm", "path": "3_LayerNorm"},
                 {"type": "sentence_transformers.base.modules.normalize.Normalize", "path": "4_Normalize"}]
                """);
        write("1_Pooling/config.json", "{\"embedding_dimension\": 33, \"pooling_mode\": \"mean\"}");
        write("2_Dense/config.json", """
                {"in_features": 33, "out_features": 7, "bias": false, "use_residual": false,
                 "activation_function": "torch.nn.modules.linear.Identity",
                 "module_input_name": "sentence_embedding", "module_output_name": null}
                """);
        write("2_Dense/model.safetensors", "");
        write("3_LayerNorm/config.json", "{\"dimension\": 7}");
        write("3_LayerNorm/model.safetensors", "");
        write("sentence_bert_config.json", """
                {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
                 "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
                 "model_args": {}, "query_length": null}
                """);
        SentenceConfig config = SentenceConfig.read(directory, BERT, 2);
        assertEquals(List.of(
                new SentenceModule.Dense(directory.resolve("2_Dense/model.safetensors"), "linear", 33, 7, false,
                        DenseActivation.IDENTITY),
                new SentenceModule.LayerNorm(directory.resolve("3_LayerNorm/model.safetensors"), 7),
                new SentenceModule.Normalize()), config.behind());
        assertTrue(config.normalizes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"})
    void shouldReadTheSettingsOfTheTransformerUnderAnyOfTheirNames(String name) throws Exception {
        write("sentence_" + name + "_config.json", "{\"max_seq_length\": 12}");
        assertEquals(12, SentenceConfig.read(directory, BERT, 2).maxTokens());
        assertEquals(12, SentenceConfig.maxTokensOfHead(directory, directory, BERT, 2, false));
    }

    @ParameterizedTest
    @CsvSource({"right, false", "left, true"})
    void shouldReadWhichEndOfATextIsDropped(String side, boolean keepsEnd) throws Exception {
        write("tokenizer_config.json", "{\"truncation_side\": \"" + side + "\"}");
        assertEquals(keepsEnd, SentenceConfig.read(directory, BERT, 2).keepsEnd());
    }

    @ParameterizedTest
    @CsvSource({"12, 12", "600, 20", "1e30, 20"})
    void shouldTakeTheTokenizersLimitWhenThereIsNoOther(String limit, int expected) throws Exception {
        write("tokenizer_config.json", "{\"model_max_length\": " + limit + "}");
        assertEquals(expected, SentenceConfig.read(directory, BERT, 2).maxTokens());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "sentence_bert_config.json | {\"max_seq_length\": 21} | at most the 20 positions of config.json, got 21",
        "sentence_bert_config.json | {\"max_seq_length\": 0} | got 0",
        "sentence_bert_config.json | {\"max_seq_length\": 2} | max_seq_length: expected more than the 2 special",
        "sentence_bert_config.json | {\"max_seq_length\": \"x\"} | got \"x\"",
        "modules.json | {} | array",
        "modules.json | [] | got none",
        "modules.json | [7] | got 7",
        "modules.json | [{\"path\": \"\"}] | type",
        "modules.json | [{\"type\": \"custom_st.Transformer\"}] | without code of the model's own, got \"custom_st.Transformer",
        "modules.json | [{\"type\": \"sentence_transformers.models.Transformer\"}] | got Transformer",
        "modules.json | [{\"type\": \"sentence_transformers.models.Transformer\"},"
                + " {\"type\": \"sentence_transformers.models.Pooling\", \"path\": \"../..\"}] | ../..",
        "modules.json | [{\"type\": \"sentence_transformers.models.Transformer\"},"
                + " {\"type\": \"sentence_transformers.models.Pooling\", \"path\": \"a\\u0000b\"}] | a folder of the model",
        "modules.json | [{\"type\": \"sentence_transformers.models.Transformer\"},"
                + " {\"type\": \"sentence_transformers.models.Pooling\"}, {\"type\": \"sentence_transformers.models.CNN\"}]"
                + " | got Transformer, Pooling, CNN",
        "1_Pooling/config.json | {\"pooling_mode\": \"first\"} | got \"first\"",
        "1_Pooling/config.json | {\"pooling_mode\": []} | at least one",
        "1_Pooling/config.json | {\"pooling_mode\": \"cls\", \"include_prompt\": false} | include_prompt",
        "1_Pooling/config.json | {\"pooling_mode_cls_token\": false} | got none",
        "1_Pooling/config.json | {\"pooling_mode_median_tokens\": true} | not a field that is known here",
        "config_sentence_transformers.json | {\"default_prompt_name\": \"q\"} | null, as there are no prompts, got",
        "config_sentence_transformers.json | {\"prompts\": {\"q\": 3}} | prompts.q: expected a string, got 3",
        "config_sentence_transformers.json | {\"truncate_dim\": 0} | got 0",
        "config_sentence_transformers.json | {\"similarity_fn_name\": \"hamming\"} | euclidean or manhattan, got",
        "config_sentence_transformers.json | {\"model_type\": \"SparseEncoder\"} | got \"SparseEncoder\"",
        "sentence_bert_config.json | {\"model_args\": {\"attn_implementation\": \"eager\"}} | model_args: expected nothing",
        "sentence_bert_config.json | {\"pooling\": 1} | pooling: not a field that is known here, with the value 1",
        "1_Pooling/config.json | {\"word_embedding_dimension\": 384} | the hidden_size 33 of config.json, got 384"
    })
    void shouldNameFileAndValueWhenOneIsWrong(String file, String content, String shown) throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        write(file, content);
        FormatException e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals(directory.resolve(file), e.file());
        assertTrue(e.getMessage().contains(shown), e.getMessage());
    }

    @Test
    void shouldNameTheModesWhenVectorsAreTooLong() throws Exception {
        int width = 1 << 30;
        var huge = Description.of(50, width, 2, 20, Attention.of(1, width), new FeedForward(71, Activation.GELU_ERF, false, true));
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        write("1_Pooling/config.json", "{\"pooling_mode\": [\"cls\", \"mean\"]}");
        var e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, huge, 2));
        assertEquals("expected vectors of less than 2^31 components, got 2 modes of 1073741824", e.problem());
    }

    @Test
    void shouldNameTheOtherFilesWhoseLimitLeavesNoRoom() throws Exception {
        write("tokenizer_config.json", "{\"model_max_length\": 1}");
        var e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals(directory.resolve("tokenizer_config.json"), e.file());
        assertEquals("model_max_length", e.field());
        e = assertThrows(FormatException.class, () -> SentenceConfig.read(directory, BERT, 20));
        assertEquals(directory.resolve("config.json"), e.file());
        assertEquals("max_position_embeddings", e.field());
        assertTrue(e.problem().contains("20 special tokens, got 20 positions"), e.problem());
    }

    @Test
    void shouldNameThePoolingConfigThatIsMissing() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        Files.delete(directory.resolve("1_Pooling/config.json"));
        var e = assertThrows(NoSuchFileException.class, () -> SentenceConfig.read(directory, BERT, 2));
        assertEquals("no 1_Pooling/config.json, which modules.json names", e.getReason());
    }

    private static SentenceConfig config(PoolingMode pooling, boolean normalize, int maxTokens, boolean lowerCase) {
        var config = SentenceConfig.of(pooling, normalize, maxTokens);
        return new SentenceConfig(config.pooling(), true, config.behind(), maxTokens, false, lowerCase, Prompts.NONE, 0,
                Similarity.COSINE);
    }

    private void write(String file, String content) throws IOException {
        Files.createDirectories(directory.resolve(file).getParent());
        Files.writeString(directory.resolve(file), content);
    }
}
