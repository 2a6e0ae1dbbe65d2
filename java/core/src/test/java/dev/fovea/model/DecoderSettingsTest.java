package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.tensor.DType;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every field that transformers writes into the config.json of a language model changes the logits, is refused by its name
 * or is known to have no effect.
 */
class DecoderSettingsTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden");
    private static final int[] PROMPT = {5, 9, 17, 3, 8, 8, 21, 30, 4, 12, 11};

    /** Other values of fields, which change the logits. */
    private static final Map<String, String> HONOURED = Map.ofEntries(Map.entry("num_attention_heads", "2"),
            Map.entry("hidden_act", "\"relu\""), Map.entry("hidden_activation", "\"silu\""),
            Map.entry("activation_function", "\"relu\""), Map.entry("rms_norm_eps", "0.5"),
            Map.entry("layer_norm_epsilon", "0.5"), Map.entry("rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 5}"),
            Map.entry("sliding_window", "2"), Map.entry("query_pre_attn_scalar", "2"),
            Map.entry("final_logit_softcapping", "0.25"), Map.entry("attn_logit_softcapping", "0.25"),
            Map.entry("scale_attn_weights", "false"), Map.entry("num_hidden_layers", "1"), Map.entry("n_layer", "1"),
            Map.entry("n_head", "4"), Map.entry("partial_rotary_factor", "0.5"), Map.entry("layer_types", "null"),
            Map.entry("no_rope_layers", "[1, 1, 1]"), Map.entry("original_max_position_embeddings", "99"));

    /** Other values of fields, which are refused by their names, or by those of the weights that do not fit. */
    private static final Map<String, String> REFUSED = Map.ofEntries(Map.entry("model_type", "\"mamba\""),
            Map.entry("vocab_size", "30"), Map.entry("hidden_size", "16"), Map.entry("intermediate_size", "41"),
            Map.entry("n_embd", "21"), Map.entry("head_dim", "7"), Map.entry("num_key_value_heads", "3"),
            Map.entry("attention_bias", "\"x\""), Map.entry("mlp_bias", "\"x\""), Map.entry("n_positions", "31"),
            Map.entry("n_inner", "95"), Map.entry("add_cross_attention", "true"),
            Map.entry("scale_attn_by_inverse_layer_idx", "true"), Map.entry("use_bidirectional_attention", "true"),
            Map.entry("is_encoder_decoder", "true"), Map.entry("max_position_embeddings", "0"),
            Map.entry("quantization_config", "{\"bits\": 4}"));

    /** No effect on logits: names, training, other heads, what a text begins and ends with, and what others imply. */
    private static final Set<String> NONE = Set.of("architectures", "dtype", "transformers_version", "_name_or_path",
            "attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "initializer_range", "use_cache", "pretraining_tp",
            "bos_token_id", "eos_token_id", "pad_token_id", "summary_activation", "summary_first_dropout",
            "summary_proj_to_labels", "summary_type", "summary_use_proj", "reorder_and_upcast_attn");

    /** What counts only beside others: tested below. */
    private static final Set<String> BESIDE_OTHERS = Set.of("tie_word_embeddings", "use_sliding_window", "max_window_layers",
            "no_rope_layer_interval", "_sliding_window_pattern");

    @TempDir
    private Path directory;

    static Stream<String> models() throws IOException {
        try (var folders = Files.list(GOLDEN)) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        }
    }

    private float[] logProbabilities(String name, Map<String, String> changes) throws IOException {
        Path made = Files.createDirectories(directory.resolve(name));
        Files.copy(GOLDEN.resolve(name).resolve("model.safetensors"), made.resolve("model.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
        JsonObject json = JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("config.json"))).getAsJsonObject();
        changes.forEach((field, value) -> json.add(field, JsonParser.parseString(value)));
        Files.writeString(made.resolve("config.json"), json.toString());
        var options = GeneratorOptions.defaults().withWeights(WeightType.F32).withCache(DType.F32).withContext(12)
                .withEngineOptions(EngineOptions.defaults().withThreads(1));
        try (var model = TextGenerator.load(made, options)) {
            // The log probabilities of tokens that a bias picks are those of the logits as they come.
            float[] all = new float[model.vocabulary()];
            for (int token = 0; token < all.length; token++) {
                all[token] = model.generate(PROMPT, SamplingOptions.greedy().withMaxTokens(1).withLogProbabilities(true)
                        .withLogitBias(Map.of(token, 1e6f))).logProbabilities()[0];
            }
            return all;
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void shouldHonourOrRefuseEveryField(String name) throws IOException {
        JsonObject config = JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("config.json"))).getAsJsonObject();
        float[] before = logProbabilities(name, Map.of());
        Set<String> unknown = new TreeSet<>();
        for (String field : config.keySet()) {
            if (HONOURED.containsKey(field) && changes(name, field, config)) {
                String value = field.equals("rope_parameters") && name.startsWith("gemma3")
                        ? "{\"full_attention\": {\"rope_theta\": 5}, \"sliding_attention\": {\"rope_theta\": 7}}" : HONOURED.get(field);
                Map<String, String> changed = new LinkedHashMap<>(Map.of(field, value));
                if (field.equals("num_hidden_layers")) {
                    changed.putAll(Map.of("layer_types", "null", "no_rope_layers", "null"));
                }
                assertFalse(Arrays.equals(before, logProbabilities(name, changed)), field);
            } else if (REFUSED.containsKey(field)) {
                var e = assertThrows(FormatException.class, () -> logProbabilities(name, Map.of(field, REFUSED.get(field))), field);
                boolean named = e.getMessage().contains(field) || e.getMessage().contains("expected shape")
                        || e.getMessage().contains("of head_dim");
                assertTrue(named, field + ": " + e.getMessage());
            } else if (NONE.contains(field)) {
                assertArrayEquals(before, logProbabilities(name, Map.of(field, "0")), field);
            } else if (!HONOURED.containsKey(field) && !BESIDE_OTHERS.contains(field)) {
                unknown.add(field);
            }
        }
        assertTrue(unknown.isEmpty(), "nobody says what these do: " + unknown);
    }

    /** Where another value of an honoured field says something else than what is there. */
    private static boolean changes(String name, String field, JsonObject config) {
        return switch (field) {
            // Heads of the width's share: fewer ones are longer, and the weights of keys do not fit.
            case "num_attention_heads" -> false;
            case "sliding_window" -> !config.get(field).isJsonNull() && !name.equals("smollm3");
            case "layer_types" -> name.startsWith("gemma3");
            case "no_rope_layers" -> name.equals("smollm3");
            case "original_max_position_embeddings" -> name.equals("phi3-long");
            default -> true;
        };
    }

    @Test
    void shouldHonourFieldsBesideOthers() throws IOException {
        float[] plain = logProbabilities("qwen2", Map.of());
        Map<String, String> window = new LinkedHashMap<>(Map.of("use_sliding_window", "true", "sliding_window", "3",
                "max_window_layers", "1", "layer_types", "null"));
        float[] windowed = logProbabilities("qwen2", window);
        assertFalse(Arrays.equals(plain, windowed));
        window.put("max_window_layers", "2");
        assertFalse(Arrays.equals(windowed, logProbabilities("qwen2", window)));
        window.put("max_window_layers", "3");
        assertArrayEquals(plain, logProbabilities("qwen2", window));
        assertFalse(Arrays.equals(plain, logProbabilities("qwen2", Map.of("tie_word_embeddings", "true"))));
        assertThrows(FormatException.class, () -> logProbabilities("qwen3", Map.of("tie_word_embeddings", "false")));
        float[] sixth = logProbabilities("gemma3", Map.of("layer_types", "null"));
        assertFalse(Arrays.equals(sixth, logProbabilities("gemma3", Map.of("layer_types", "null", "_sliding_window_pattern", "2"))));
        float[] every = logProbabilities("smollm3", Map.of("no_rope_layers", "null"));
        assertFalse(Arrays.equals(every, logProbabilities("smollm3", Map.of("no_rope_layers", "null", "no_rope_layer_interval", "3"))));
        for (String field : Set.of("quantization_config", "is_encoder_decoder", "add_cross_attention")) {
            var e = assertThrows(FormatException.class, () -> logProbabilities("llama", Map.of(field, REFUSED.get(field))));
            assertTrue(e.getMessage().contains(field), e.getMessage());
        }
    }

    @Test
    void shouldRefuseRopeThatIsNotKnown() {
        for (String rope : new String[] {"{\"rope_type\": \"proportional\"}", "{\"rope_type\": \"linear\"}",
            "{\"rope_type\": \"linear\", \"factor\": 0.5}", "{\"rope_type\": \"yarn\", \"factor\": 2, \"truncate\": false}",
            "{\"rope_type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1]}", "{\"rope_theta\": -1}",
            "{\"partial_rotary_factor\": 0.4}", "7"}) {
            var e = assertThrows(FormatException.class, () -> logProbabilities("llama", Map.of("rope_parameters", rope)), rope);
            assertTrue(e.getMessage().contains("config.json"), e.getMessage());
        }
    }
}
