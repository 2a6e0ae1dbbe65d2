package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.fovea.model.TinyModel;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BertFamilyTest {
    @TempDir
    private Path directory;

    @Test
    void shouldReadTheFields() throws Exception {
        Description bert = read(write(new TinyModel(1).config.toString()));
        var attention = new Attention(3, 3, 11, 11, true, true, QueryKeyNorm.NONE, (float) (1 / Math.sqrt(11)), 0,
                List.of(Mask.none()));
        var feedForward = new FeedForward(71, Activation.GELU_ERF, false, true);
        var norms = new Norms(Norms.Kind.LAYER, Norms.Place.AFTER, 1e-12f, true, false, true, false);
        assertEquals(new Description(50, 33, 2, 20, new Embedding(1, 2), new Positions.Learned(20, 0), attention, false,
                feedForward, norms, new Head.Hidden()), bert);
    }

    @Test
    void shouldTakeTheFamilysDefaultsForAbsentFields() throws Exception {
        var json = new TinyModel(1).config;
        for (String field : new String[] {"hidden_act", "layer_norm_eps", "type_vocab_size", "pad_token_id"}) {
            json.remove(field);
        }
        Description bert = read(write(json.toString()));
        assertEquals(Activation.GELU_ERF, bert.feedForward().activation());
        assertEquals(1e-12f, bert.norms().epsilon());
        assertEquals(2, bert.embedding().tokenTypes());
        for (String type : List.of("roberta", "xlm-roberta", "camembert")) {
            json.addProperty("model_type", type);
            Description roberta = read(write(json.toString()));
            assertEquals(1e-5f, roberta.norms().epsilon());
            assertEquals(1, roberta.embedding().tokenTypes());
            assertEquals(new Positions.Learned(20, 2), roberta.positions());
            assertEquals(18, roberta.maxTokens());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "model_type | \"rwkv\" | rwkv",
        "model_type | null | missing",
        "vocab_size | 0 | 0",
        "vocab_size | -5 | -5",
        "vocab_size | 2147483648 | 2147483648",
        "hidden_size | 33.5 | 33.5",
        "hidden_size | \"33\" | 33",
        "hidden_size | [33] | [33]",
        "num_attention_heads | 4 | divisor of hidden_size 33, got 4",
        "num_attention_heads | 0 | 0",
        "num_hidden_layers | true | true",
        "num_hidden_layers | null | missing",
        "intermediate_size | 1e300 | 1e300",
        "hidden_act | \"mish\" | mish",
        "hidden_act | 7 | 7",
        "max_position_embeddings | 0 | 0",
        "type_vocab_size | 0 | 0",
        "layer_norm_eps | 0 | 0",
        "layer_norm_eps | -1e-12 | -1",
        "layer_norm_eps | 1e60 | 1e60",
        "position_embedding_type | \"relative_key\" | relative_key",
        "is_decoder | true | true",
        "is_decoder | \"no\" | no"
    })
    void shouldNameFileFieldAndValueWhenOneIsWrong(String field, String value, String shown) throws Exception {
        var json = new TinyModel(1).config;
        json.add(field, JsonParser.parseString(value));
        Path file = write(json.toString());
        FormatException e = assertThrows(FormatException.class, () -> read(file));
        assertEquals(field, e.field());
        assertEquals(file, e.file());
        assertTrue(e.getMessage().contains(shown), e.getMessage());
    }

    @Test
    void shouldRefusePositionsThatPaddingUsesUp() throws Exception {
        var json = new TinyModel(1).config;
        json.addProperty("model_type", "roberta");
        json.addProperty("pad_token_id", 19);
        Path file = write(json.toString());
        FormatException e = assertThrows(FormatException.class, () -> read(file));
        assertTrue(e.getMessage().contains("more than pad_token_id + 1 = 20, got 20"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {"''", "{", "[]", "7", "null", "{\"model_type\": \"bert\",}x"})
    void shouldRefuseWhatIsNoJsonObject(String content) throws Exception {
        Path file = write(content);
        FormatException e = assertThrows(FormatException.class, () -> read(file));
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        assertFalse(e.problem().matches("(?s).*(Exception|Reader|http|\\R).*"), e.problem());
    }

    @Test
    void shouldRefuseBytesThatAreNoText() throws Exception {
        Path file = Files.write(directory.resolve("config.json"), new byte[] {'{', (byte) 0xff, (byte) 0xfe, '}'});
        FormatException e = assertThrows(FormatException.class, () -> read(file));
        assertEquals("not valid UTF-8", e.problem());
    }

    @Test
    void shouldRefuseAnEndlesslyNestedFile() throws Exception {
        Path file = write("[".repeat(1 << 20));
        assertThrows(FormatException.class, () -> read(file));
    }

    private static Description read(Path file) throws Exception {
        return EncoderConfig.read(file).encoder();
    }

    private Path write(String content) throws Exception {
        return Files.writeString(directory.resolve("config.json"), content);
    }
}
