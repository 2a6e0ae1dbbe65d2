package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.ops.Similarity;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Each setting in the table of docs/models.md has the effect that the table names. */
class SettingsTableTest {
    private static final Path TABLE = Path.of("..", "..", "docs", "models.md");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    /** Words that each setting of a tokenizer reads in its own way. */
    private static final String TEXT = "W1 w\u0301" + "2 w3\u4f60w4 <tag>w5 w6";

    private static final String DENSE = "{\"in_features\": 33, \"out_features\": 4, \"bias\": true,"
            + " \"activation_function\": \"torch.nn.modules.activation.Tanh\"}";
    private static final String MODULE = "{\"type\": \"sentence_transformers.models.%s\", \"path\": \"%s\"}";

    @TempDir
    private Path directory;

    private int folders;

    /** What another value of a setting does. */
    private final Map<String, List<Trial>> trials = new LinkedHashMap<>();

    private enum Effect { HONOURED, REFUSED, NONE }

    private interface Edit {
        void apply(ModelDirectory directory) throws IOException;
    }

    /** @param before what is written first; its vector is what {@code edit} changes, or not */
    private record Trial(Effect effect, String file, Edit before, Edit edit) {}

    @BeforeEach
    void addAll() {
        config();
        modules();
        sentence();
        tokenizer();
        tokenizerConfig();
        vocabulary();
    }

    private void config() {
        honoured("config.json", "model_type", d -> set(d, "config.json", "model_type", "\"roberta\""));
        refused("config.json", "model_type", d -> set(d, "config.json", "model_type", "\"xlnet\""));
        honoured("config.json", "hidden_act", d -> set(d, "config.json", "hidden_act", "\"gelu_new\""));
        refused("config.json", "hidden_act", d -> set(d, "config.json", "hidden_act", "\"mish\""));
        honoured("config.json", "num_attention_heads", d -> set(d, "config.json", "num_attention_heads", "11"));
        honoured("config.json", "layer_norm_eps", d -> set(d, "config.json", "layer_norm_eps", "0.25"));
        honoured("config.json", "num_hidden_layers", d -> set(d, "config.json", "num_hidden_layers", "1"));
        add(Effect.HONOURED, "config.json", "max_position_embeddings", d -> { }, d -> {
            TinyModel model = new TinyModel(41);
            model.weights.put("embeddings.position_embeddings.weight", new TinyModel.Weight(List.of(5, 33), Arrays.copyOf(
                    model.values("embeddings.position_embeddings.weight"), 5 * 33)));
            d.tensors("model.safetensors", model.weights);
            set(d, "config.json", "max_position_embeddings", "5");
        });
        for (String key : List.of("hidden_size", "intermediate_size", "type_vocab_size")) {
            add(Effect.REFUSED, "config.json", key, d -> { }, "model.safetensors|1_Pooling/config.json|config.json", d ->
                    set(d, "config.json", key, key.startsWith("type") ? "1" : "36"));
        }
        add(Effect.REFUSED, "config.json", "vocab_size", d -> { }, "tokenizer.json", d -> set(d, "config.json", "vocab_size", "7"));
        refused("config.json", "position_embedding_type",
                d -> set(d, "config.json", "position_embedding_type", "\"relative_key\""));
        refused("config.json", "is_decoder", d -> set(d, "config.json", "is_decoder", "true"));
        refused("config.json", "quantization_config", d -> set(d, "config.json", "quantization_config", "{\"bits\": 4}"));
        for (String key : List.of("hidden_dropout_prob", "use_cache", "torch_dtype")) {
            none("config.json", key, d -> set(d, "config.json", key, key.equals("torch_dtype") ? "\"float16\"" : "0"));
        }
    }

    private void modules() {
        honoured("modules.json", "type", d -> d.modules("Pooling", "Normalize"));
        refused("modules.json", "type", d -> d.modules("Pooling", "WordWeights"));
        honoured("modules.json", "path", d -> d.write("modules.json", "[" + MODULE.formatted("Transformer", "") + ", "
                + MODULE.formatted("Pooling", "9_Pooling") + "]").write("9_Pooling/config.json", "{\"pooling_mode\": \"max\"}"));
        refused("modules.json", "path", d -> d.write("modules.json", "[" + MODULE.formatted("Transformer", "..") + ", "
                + MODULE.formatted("Pooling", "1_Pooling") + "]"));
        refused("modules.json", "kwargs", d -> d.write("modules.json", "[" + MODULE.formatted("Transformer", "")
                .replace("}", ", \"kwargs\": [\"task\"]}") + ", " + MODULE.formatted("Pooling", "1_Pooling") + "]"));
        String pooling = "1_Pooling/config.json";
        honoured(pooling, "pooling_mode", d -> d.pooling("max"));
        refused(pooling, "pooling_mode", d -> d.pooling("median"));
        for (String flag : List.of("cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")) {
            honoured(pooling, "pooling_mode_" + flag, d -> d.write(pooling, "{\"pooling_mode_" + flag + "\": true}"));
        }
        add(Effect.HONOURED, pooling, "pooling_mode_mean_tokens", d -> d.write(pooling, "{\"pooling_mode_cls_token\": true}"),
                d -> d.write(pooling, "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}"));
        String prompts = "{\"prompts\": {\"q\": \"w7 \"}, \"default_prompt_name\": \"q\"}";
        add(Effect.HONOURED, pooling, "include_prompt", d -> d.settings(prompts),
                d -> d.pooling("mean", "\"include_prompt\": false"));
        refused(pooling, "include_prompt", d -> d.pooling("cls", "\"include_prompt\": false"));
        for (String key : List.of("word_embedding_dimension", "embedding_dimension")) {
            refused(pooling, key, d -> d.write(pooling, "{\"" + key + "\": 34}"));
        }
        behindPooling();
    }

    private void behindPooling() {
        String dense = "2_Dense/config.json";
        Edit with = d -> d.modules("Pooling", "Dense").dense(2, new SentencePipelineTest.Dense(1, 33, 4, true),
                "torch.nn.modules.activation.Tanh").write(dense, DENSE);
        add(Effect.REFUSED, dense, "out_features", with, "2_Dense/model.safetensors", d -> set(d, dense, "out_features", "5"));
        add(Effect.REFUSED, dense, "in_features", with, d -> set(d, dense, "in_features", "32"));
        add(Effect.HONOURED, dense, "bias", with, d -> set(d, dense, "bias", "false"));
        add(Effect.HONOURED, dense, "activation_function", with,
                d -> set(d, dense, "activation_function", "\"torch.nn.modules.linear.Identity\""));
        add(Effect.REFUSED, dense, "activation_function", with, d -> set(d, dense, "activation_function", "\"my.Swish\""));
        add(Effect.REFUSED, dense, "use_residual", with, d -> set(d, dense, "use_residual", "true"));
        add(Effect.REFUSED, dense, "module_input_name", with, d -> set(d, dense, "module_input_name", "\"token_embeddings\""));
        add(Effect.REFUSED, dense, "module_output_name", with, d -> set(d, dense, "module_output_name", "\"x\""));
        String unit = "2_Normalize/config.json";
        Edit normalized = d -> d.modules("Pooling", "Normalize").write(unit, "{}");
        for (String key : List.of("module_input_name", "module_output_name")) {
            add(Effect.REFUSED, unit, key, normalized, d -> set(d, unit, key, "\"token_embeddings\""));
        }
        String norm = "2_LayerNorm/config.json";
        Edit normed = d -> d.modules("Pooling", "LayerNorm").layerNorm(2, new float[33], new float[33]);
        add(Effect.REFUSED, norm, "dimension", normed, d -> set(d, norm, "dimension", "32"));
    }

    private void sentence() {
        String file = "sentence_bert_config.json";
        honoured(file, "max_seq_length", d -> d.sentence("{\"max_seq_length\": 5}"));
        refused(file, "max_seq_length", d -> d.sentence("{\"max_seq_length\": 21}"));
        add(Effect.HONOURED, file, "do_lower_case", d -> normalizer(d, "null"), d -> d.sentence("{\"do_lower_case\": true}"));
        refused(file, "transformer_task", d -> d.sentence("{\"transformer_task\": \"fill-mask\"}"));
        refused(file, "module_output_name", d -> d.sentence("{\"module_output_name\": \"scores\"}"));
        refused(file, "modality_config", d -> d.sentence("{\"modality_config\": {\"text\": {\"method\": \"embed\"}}}"));
        for (String key : List.of("model_args", "tokenizer_args", "config_args", "model_kwargs", "processor_kwargs",
                "tokenizer_kwargs", "config_kwargs", "processing_kwargs", "query_expansion")) {
            refused(file, key, d -> d.sentence("{\"" + key + "\": {\"a\": 1}}"));
        }
        refused(file, "unpad_inputs", d -> d.sentence("{\"unpad_inputs\": true}"));
        for (String key : List.of("query_length", "document_length")) {
            refused(file, key, d -> d.sentence("{\"" + key + "\": 32}"));
        }
        String settings = "config_sentence_transformers.json";
        honoured(settings, "prompts", d -> d.settings("{\"prompts\": {\"query\": \"w7 \"}, \"default_prompt_name\": \"query\"}"));
        refused(settings, "prompts", d -> d.settings("{\"prompts\": {\"query\": 7}}"));
        add(Effect.HONOURED, settings, "default_prompt_name", d -> d.settings("{\"prompts\": {\"a\": \"w7 \"}}"),
                d -> d.settings("{\"prompts\": {\"a\": \"w7 \"}, \"default_prompt_name\": \"a\"}"));
        refused(settings, "default_prompt_name", d -> d.settings("{\"default_prompt_name\": \"a\"}"));
        honoured(settings, "truncate_dim", d -> d.settings("{\"truncate_dim\": 4}"));
        honoured(settings, "similarity_fn_name", d -> d.settings("{\"similarity_fn_name\": \"dot\"}"));
        refused(settings, "similarity_fn_name", d -> d.settings("{\"similarity_fn_name\": \"l0\"}"));
        refused(settings, "model_type", d -> d.settings("{\"model_type\": \"CrossEncoder\"}"));
    }

    private void tokenizer() {
        String file = "tokenizer.json";
        honoured(file, "normalizer", d -> normalizer(d, "{\"type\": \"NFC\"}"));
        refused(file, "normalizer", d -> normalizer(d, "{\"type\": \"Magic\"}"));
        honoured(file, "pre_tokenizer", d -> set(d, file, "pre_tokenizer", "{\"type\": \"WhitespaceSplit\"}"));
        refused(file, "pre_tokenizer", d -> set(d, file, "pre_tokenizer", "{\"type\": \"Magic\"}"));
        honoured(file, "post_processor", d -> set(d, file, "post_processor", "null"));
        refused(file, "post_processor", d -> set(d, file, "post_processor", "{\"type\": \"Magic\"}"));
        honoured(file, "model", d -> {
            JsonObject json = read(d, file);
            json.getAsJsonObject("model").addProperty("unk_token", "[MASK]");
            d.write(file, json.toString());
        });
        refused(file, "model", d -> set(d, file, "model", "{\"type\": \"Magic\", \"vocab\": {}}"));
        honoured(file, "added_tokens", d -> set(d, file, "added_tokens", "[" + tag(49) + "]"));
        refused(file, "added_tokens", d -> set(d, file, "added_tokens", "[" + tag(7) + "]"));
        none(file, "truncation", d -> set(d, file, "truncation", "{\"max_length\": 4}"));
        none(file, "padding", d -> set(d, file, "padding", "{\"length\": 40}"));
        none(file, "decoder", d -> set(d, file, "decoder", "{\"type\": \"WordPiece\"}"));
    }

    private void tokenizerConfig() {
        String file = "tokenizer_config.json";
        Edit bert = d -> d.write(file, "{\"tokenizer_class\": \"BertTokenizer\"}");
        Edit other = d -> normalizer(d.write(file, "{}"), "{\"type\": \"NFD\"}");
        for (String key : List.of("do_lower_case", "strip_accents", "tokenize_chinese_chars")) {
            add(Effect.HONOURED, file, key, bert, d -> set(d, file, key, "false"));
            if (!key.startsWith("tokenize")) {
                add(Effect.REFUSED, file, key, other, d -> set(d, file, key, "true"));
            }
        }
        add(Effect.REFUSED, file, "clean_text", bert, d -> set(d, file, "clean_text", "false"));
        add(Effect.HONOURED, file, "tokenizer_class", d -> d.write(file, "{\"tokenizer_class\": \"BertTokenizer\","
                + " \"do_lower_case\": false}"), d -> set(d, file, "tokenizer_class", "\"PreTrainedTokenizerFast\""));
        refused(file, "tokenizer_class", d -> d.write(file, "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}"));
        honoured(file, "model_max_length", d -> d.write(file, "{\"model_max_length\": 5}"));
        add(Effect.HONOURED, file, "truncation_side", d -> d.write(file, "{\"model_max_length\": 5}"),
                d -> set(d, file, "truncation_side", "\"left\""));
        refused(file, "truncation_side", d -> d.write(file, "{\"truncation_side\": \"both\"}"));
        add(Effect.HONOURED, file, "added_tokens_decoder", bert,
                d -> set(d, file, "added_tokens_decoder", "{\"49\": {\"content\": \"<tag>\"}}"));
        add(Effect.HONOURED, file, "additional_special_tokens", bert,
                d -> set(d, file, "additional_special_tokens", "[\"<tag>\"]"));
        for (String key : List.of("cls_token", "sep_token", "unk_token")) {
            add(Effect.REFUSED, file, key, bert, d -> set(d, file, key, "\"[PAD]\""));
            refused("special_tokens_map.json", key, d -> d.write("special_tokens_map.json", "{\"" + key + "\": \"[PAD]\"}"));
        }
        for (String key : List.of("split_special_tokens", "add_bos_token", "add_eos_token")) {
            add(Effect.REFUSED, file, key, bert, d -> set(d, file, key, "true"));
        }
        add(Effect.REFUSED, file, "add_prefix_space", d -> set(d.write(file, "{}"), "tokenizer.json", "pre_tokenizer",
                "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}"),
                d -> set(d, file, "add_prefix_space", "true"));
        add(Effect.REFUSED, file, "do_basic_tokenize", bert, d -> set(d, file, "do_basic_tokenize", "false"));
        add(Effect.REFUSED, file, "never_split", bert, d -> set(d, file, "never_split", "[\"w1\"]"));
        add(Effect.REFUSED, file, "auto_map", bert, d -> set(d, file, "auto_map", "{\"AutoTokenizer\": [\"a.B\", null]}"));
        add(Effect.NONE, file, "padding_side", bert, d -> set(d, file, "padding_side", "\"left\""));
        add(Effect.NONE, file, "pad_token_type_id", bert, d -> set(d, file, "pad_token_type_id", "1"));
        add(Effect.NONE, file, "clean_up_tokenization_spaces", bert, d -> set(d, file, "clean_up_tokenization_spaces", "true"));
        honoured("special_tokens_map.json", "additional_special_tokens",
                d -> d.write("special_tokens_map.json", "{\"additional_special_tokens\": [\"<tag>\"]}"));
        honoured("added_tokens.json", "<tag>", d -> d.write("added_tokens.json", "{\"<tag>\": 49}"));
        refused("added_tokens.json", "<tag>", d -> d.write("added_tokens.json", "{\"<tag>\": 7}"));
    }

    private void vocabulary() {
        Edit lines = d -> {
            StringBuilder text = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
            for (int word = 0; word < 45; word++) {
                text.append('w').append(word).append('\n');
            }
            d.delete("tokenizer.json").write("vocab.txt", text.toString());
        };
        for (String key : List.of("do_lower_case", "strip_accents", "tokenize_chinese_chars")) {
            add(Effect.HONOURED, "vocab.txt", key, lines, d -> d.write("tokenizer_config.json", "{\"" + key + "\": false}"));
        }
    }

    @Test
    void shouldHaveATrialForEachRowAndARowForEachTrial() throws IOException {
        assertEquals(List.copyOf(new TreeSet<>(rows().keySet())), List.copyOf(new TreeSet<>(trials.keySet())));
    }

    @TestFactory
    Stream<DynamicTest> shouldDoWhatTheTableSays() throws IOException {
        return rows().entrySet().stream().map(row -> DynamicTest.dynamicTest(row.getKey(), () -> {
            List<Effect> effects = new ArrayList<>();
            for (Trial trial : trials.getOrDefault(row.getKey(), List.of())) {
                effects.add(trial.effect);
                run(trial, row.getKey().substring(row.getKey().indexOf(' ') + 1));
            }
            assertEquals(row.getValue(), effects);
        }));
    }

    private void run(Trial trial, String key) throws IOException {
        ModelDirectory model = base(Files.createDirectory(directory.resolve("m" + folders++)));
        trial.before.apply(model);
        float[] before = vector(model.path());
        trial.edit.apply(model);
        if (trial.effect == Effect.REFUSED) {
            var e = assertThrows(FormatException.class, () -> vector(model.path()));
            String file = model.path().relativize(e.file()).toString();
            assertTrue(List.of(trial.file.split("\\|")).contains(file), e.getMessage());
            assertTrue(!file.equals("config.json") && trial.file.contains("model.safetensors")
                    || trial.file.equals("tokenizer.json") || e.getMessage().contains(key), e.getMessage());
        } else if (trial.effect == Effect.NONE) {
            assertArrayEquals(before, vector(model.path()));
        } else {
            assertFalse(Arrays.equals(before, vector(model.path())));
        }
    }

    /** A vector, and behind it a number that stands for the similarity. */
    private static float[] vector(Path directory) throws IOException {
        try (var encoder = TextEncoder.load(directory)) {
            float[] vector = encoder.encode(TEXT);
            float[] all = Arrays.copyOf(vector, vector.length + 1);
            all[vector.length] = encoder.similarity() == Similarity.COSINE ? 0 : 1;
            return all;
        }
    }

    /** A model whose tokenizer lower-cases, strips accents and splits Chinese; {@code <tag>} is its last word. */
    private static ModelDirectory base(Path folder) throws IOException {
        ModelDirectory model = ModelDirectory.of(new TinyModel(41), folder).modules("Pooling")
                .write("1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true}");
        normalizer(model, "{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true,"
                + " \"strip_accents\": null, \"lowercase\": true}");
        set(model, "tokenizer.json", "pre_tokenizer", "{\"type\": \"BertPreTokenizer\"}");
        JsonObject json = read(model, "tokenizer.json");
        JsonObject vocabulary = json.getAsJsonObject("model").getAsJsonObject("vocab");
        vocabulary.remove("w44");
        vocabulary.addProperty("<tag>", 49);
        return model.write("tokenizer.json", json.toString());
    }

    private static ModelDirectory normalizer(ModelDirectory model, String json) throws IOException {
        return set(model, "tokenizer.json", "normalizer", json);
    }

    private static String tag(int id) {
        return "{\"id\": " + id + ", \"content\": \"<tag>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false,"
                + " \"normalized\": false, \"special\": true}";
    }

    private static ModelDirectory set(ModelDirectory model, String file, String key, String value) throws IOException {
        JsonObject json = read(model, file);
        json.add(key, JsonParser.parseString(value));
        return model.write(file, json.toString());
    }

    private static JsonObject read(ModelDirectory model, String file) throws IOException {
        JsonElement json = JsonParser.parseString(Files.readString(model.path().resolve(file)));
        return json.getAsJsonObject();
    }

    private void honoured(String file, String key, Edit edit) {
        add(Effect.HONOURED, file, key, d -> { }, edit);
    }

    private void refused(String file, String key, Edit edit) {
        add(Effect.REFUSED, file, key, d -> { }, edit);
    }

    private void none(String file, String key, Edit edit) {
        add(Effect.NONE, file, key, d -> { }, edit);
    }

    private void add(Effect effect, String file, String key, Edit before, Edit edit) {
        add(effect, file, key, before, file, edit);
    }

    /** @param blamed the file that the error names, or several with bars between */
    private void add(Effect effect, String file, String key, Edit before, String blamed, Edit edit) {
        trials.computeIfAbsent(file + " " + key, _ -> new ArrayList<>()).add(new Trial(effect, blamed, before, edit));
    }

    /** The effects that the table promises, by file and key. */
    private static Map<String, List<Effect>> rows() throws IOException {
        Map<String, List<Effect>> rows = new LinkedHashMap<>();
        for (String line : Files.readAllLines(TABLE)) {
            String[] cells = line.split("\\|");
            if (cells.length == 4 && cells[3].strip().matches("(honoured|refused|no effect).*")) {
                List<Effect> effects = cells[3].strip().startsWith("no effect") ? List.of(Effect.NONE)
                        : cells[3].strip().startsWith("refused") ? List.of(Effect.REFUSED)
                        : cells[3].strip().startsWith("honoured or refused") ? List.of(Effect.HONOURED, Effect.REFUSED)
                        : List.of(Effect.HONOURED);
                String file = code(cells[1]).getFirst();
                code(cells[2]).forEach(key -> rows.put(file + " " + key, effects));
            }
        }
        return rows;
    }

    private static List<String> code(String cell) {
        return CODE.matcher(cell).results().map(match -> match.group(1)).toList();
    }
}
