package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the configurations of families say, and what is refused of them. */
class EncoderFamiliesTest {
    @TempDir
    private Path directory;

    private Description read(String family, String... changes) throws Exception {
        JsonObject config = config(family);
        for (int i = 0; i < changes.length; i += 2) {
            config.add(changes[i], JsonParser.parseString(changes[i + 1]));
        }
        return EncoderConfig.read(Files.writeString(directory.resolve("config.json"), config.toString())).encoder();
    }

    private static JsonObject config(String family) throws Exception {
        return JsonParser.parseString(Files.readString(GoldenFamilyTest.GOLDEN.resolve(family).resolve("config.json")))
                .getAsJsonObject();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bert | model_type | \"rwkv\" | modernbert",
        "bert | position_embedding_type | \"relative_key_query\" | absolute",
        "jina-bert | feed_forward_type | \"original\" | geglu",
        "jina-bert | is_decoder | true | false",
        "distilbert | n_heads | 5 | divisor of dim 24",
        "distilbert | activation | \"mish\" | gelu",
        "electra | is_decoder | true | false",
        "albert | inner_group_num | 2 | 1",
        "mpnet | relative_attention_num_buckets | 7 | even",
        "mpnet | max_position_embeddings | 2 | more than pad_token_id",
        "nomic-bert | prenorm | true | false",
        "nomic-bert | num_experts | 8 | 0",
        "nomic-bert | rotary_emb_scale_base | 512 | null",
        "nomic-bert | rotary_emb_fraction | 1.5 | part of head_dim",
        "gte-new | pack_qkv | false | true",
        "gte-new | logn_attention_scale | true | false",
        "gte-new | position_embedding_type | \"alibi\" | rope",
        "gte-new | layer_norm_type | \"rms_norm\" | layer_norm",
        "modernbert | layer_types | [\"full_attention\"] | for each of 4",
        "modernbert | hidden_activation | 7 | string",
        "eurobert | rope_scaling | {\"rope_type\":\"linear\"} | null",
        "eurobert | num_key_value_heads | 3 | divisor",
        "eurobert | head_dim | 7 | even",
        "clip-text | num_attention_heads | 5 | divisor",
        "deberta-v2 | conv_kernel_size | 3 | 0",
        "deberta-v2 | share_att_key | false | true",
        "deberta-v2 | relative_attention | false | true",
        "deberta-v2 | pos_att_type | \"p2p\" | c2p",
        "deberta-v2 | norm_rel_ebd | \"rms\" | layer_norm",
        "deberta-v2 | position_buckets | 200 | twice the farthest"
    })
    void shouldNameTheFieldThatIsNotSupported(String family, String field, String value, String shown) {
        FormatException e = assertThrows(FormatException.class, () -> read(family, field, value));
        assertEquals(field, e.field());
        assertTrue(e.getMessage().contains(shown), e.getMessage());
        assertFalse(e.getMessage().contains("\n"));
    }

    @Test
    void shouldRefuseScalingOfRopeThatIsNotKnown() {
        assertThrows(FormatException.class, () -> read("gte-new", "rope_scaling", "{\"type\":\"linear\",\"factor\":2}"));
        assertThrows(FormatException.class,
                () -> read("gte-new", "rope_scaling", "{\"type\":\"ntk\",\"factor\":2,\"mixed_b\":0.5}"));
        assertThrows(FormatException.class, () -> read("gte-new", "rope_scaling", "{\"type\":\"ntk\",\"factor\":0.5}"));
    }

    @Test
    void shouldReadModernBertAsTransformers5WritesIt() throws Exception {
        Description old = read("modernbert");
        Description now = read("modernbert", "layer_types",
                "[\"full_attention\",\"sliding_attention\",\"sliding_attention\",\"full_attention\"]", "rope_parameters",
                "{\"full_attention\":{\"rope_type\":\"default\",\"rope_theta\":160000.0},"
                        + "\"sliding_attention\":{\"rope_type\":\"default\",\"rope_theta\":10000.0}}");
        for (int layer = 0; layer < 4; layer++) {
            assertEquals(old.attention().mask(layer), now.attention().mask(layer));
            var kinds = ((Positions.RotaryInTurn) old.positions()).kinds();
            var others = ((Positions.RotaryInTurn) now.positions()).kinds();
            assertEquals(kinds.get(layer % kinds.size()), others.get(layer % others.size()));
        }
        assertEquals(Mask.none(), old.attention().mask(3));
        assertEquals(Mask.window(4, 4), old.attention().mask(2));
    }

    @Test
    void shouldReadFieldsThatChangeTheArchitecture() throws Exception {
        assertEquals(Activation.GELU_ERF, read("clip-text", "hidden_act", "\"gelu\"").feedForward().activation());
        assertEquals(64, read("nomic-bert").maxTokens());
        assertEquals(32, read("nomic-bert", "rotary_scaling_factor", "2", "max_trained_positions", "32").maxTokens());
        assertEquals(new Positions.Learned(64, 0), read("nomic-bert", "rotary_emb_fraction", "null").positions());
        assertEquals(null, read("electra", "embedding_size", "24").embedding().projection());
        assertTrue(read("jina-bert-code").attention().queryKeyNorm() == Description.QueryKeyNorm.ALL_HEADS);
        var disentangled = (Positions.Disentangled) read("deberta-v2", "pos_att_type", "[\"c2p\"]", "position_buckets",
                "-1", "max_relative_positions", "20", "position_biased_input", "true").positions();
        assertEquals(new Positions.Disentangled(20, false, 20, true, false, true, new Positions.Learned(64, 0)),
                disentangled);
        JsonObject both = new JsonObject();
        both.addProperty("model_type", "clip");
        both.add("text_config", config("clip-text"));
        Path file = Files.writeString(directory.resolve("config.json"), both.toString());
        assertEquals(24, EncoderConfig.read(file).encoder().width());
    }

    @Test
    void shouldFindWeightsUnderEachPrefixAndSayWhichThereAre() throws Exception {
        EncoderConfig config = EncoderConfig.read(GoldenFamilyTest.GOLDEN.resolve("roberta").resolve("config.json"));
        try (Weights file = Weights.open(GoldenFamilyTest.GOLDEN.resolve("distilbert").resolve("model.safetensors"))) {
            FormatException e = assertThrows(FormatException.class, () -> config.weights(config.encoder(), file));
            assertTrue(e.getMessage().contains("roberta."), e.getMessage());
        }
        try (Weights file = Weights.open(GoldenFamilyTest.GOLDEN.resolve("roberta").resolve("model.safetensors"))) {
            FormatException e = assertThrows(FormatException.class, () -> config.tagger(config.encoder(), 2, file));
            assertTrue(e.getMessage().contains("classifier.weight"), e.getMessage()); // a file without that head
        }
    }

    /** A configuration of BERT is that of another family in its model_type alone, and so mostly refused, but for other reasons. */
    @Test
    void shouldKnowEveryTypeThatItNames() throws Exception {
        var unknown = assertThrows(FormatException.class, () -> read("bert", "model_type", "\"rwkv\""));
        List<String> types = Pattern.compile("\\[([^\\]]*)\\]").matcher(unknown.problem()).results()
                .flatMap(list -> Stream.of(list.group(1).split(", "))).toList();
        assertTrue(types.containsAll(List.of("bert", "deberta-v2", "t5", "qwen3")), unknown.problem());
        for (String type : types) {
            try {
                read("bert", "model_type", '"' + type + '"');
            } catch (FormatException e) {
                assertFalse(e.field().equals("model_type"), type + ": " + e.getMessage());
            }
        }
    }
}
