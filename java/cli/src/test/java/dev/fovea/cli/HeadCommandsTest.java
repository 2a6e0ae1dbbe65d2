package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rerank}, {@code classify}, {@code tag} and {@code embed --sparse}, on small models of random weights. */
class HeadCommandsTest {
    private static final Path GOLDEN =
            Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "family", "golden");

    @TempDir
    private Path directory;

    private String model(String family, String labels) throws Exception {
        JsonObject config = JsonParser.parseString(Files.readString(GOLDEN.resolve(family).resolve("config.json")))
                .getAsJsonObject();
        config.add("id2label", JsonParser.parseString(labels));
        Files.writeString(directory.resolve("config.json"), config.toString());
        Files.copy(GOLDEN.resolve(family).resolve("model.safetensors"), directory.resolve("model.safetensors"));
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < 29; i++) {
            vocabulary.addProperty("w" + i, i);
        }
        Files.writeString(directory.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": null, "model": {"type": "WordLevel", "unk_token": "w0", "vocab": %s}}
                """.formatted(vocabulary));
        return directory.toString();
    }

    @Test
    void shouldRerank() throws Exception {
        String model = model("gte-new", "{\"0\": \"LABEL_0\"}");
        String[] lines = CliRun.of("rerank", "--model", model, "w1 w2", "w3", "w4 w5").output().split("\n");
        assertEquals(2, lines.length);
        assertTrue(lines[0].matches("1\\. +0\\.\\d{4}  w.*"), lines[0]);
        String json = CliRun.of("rerank", "--model", model, "--json", "w1 w2", "w3", "w4 w5").output();
        var results = JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("results");
        assertTrue(results.get(0).getAsJsonObject().get("score").getAsFloat()
                >= results.get(1).getAsJsonObject().get("score").getAsFloat());
    }

    @Test
    void shouldTakeTheFileOfWeightsThatIsChosen() throws Exception {
        String model = model("bert", "{\"0\": \"no\", \"1\": \"maybe\", \"2\": \"yes\"}");
        String usual = CliRun.of("classify", "--model", model, "--json", "w1 w2").output();
        Files.move(directory.resolve("model.safetensors"), directory.resolve("fp16.safetensors"));
        assertEquals(usual, CliRun.of("classify", "--model", model, "--weights-file", "fp16.safetensors", "--json", "w1 w2")
                .output());
        String absent = CliRun.of("classify", "--model", model, "--weights-file", "int8.onnx", "w1 w2").error(1);
        assertTrue(absent.contains("has no int8.onnx to take weights from; there is none"), absent);
        assertTrue(CliRun.of("models", "show", model, "--weights-file", "int8.onnx").error(1).contains("has no int8.onnx"));
    }

    @Test
    void shouldClassify() throws Exception {
        String model = model("bert", "{\"0\": \"no\", \"1\": \"maybe\", \"2\": \"yes\"}");
        assertTrue(CliRun.of("classify", "--model", model, "w1 w2").output().matches("(no|maybe|yes) +0\\.\\d{4}  w1 w2\n"));
        List<JsonObject> objects =
                CliRun.of("classify", "--model", model, "--json", "--pair", "w5", "w1 w2", "w3").objects();
        assertEquals(2, objects.size());
        assertEquals(3, objects.getFirst().getAsJsonArray("labels").size());
    }

    @Test
    void shouldTag() throws Exception {
        String model = model("distilbert", "{\"0\": \"B-x\", \"1\": \"I-x\", \"2\": \"B-y\"}");
        JsonObject one = CliRun.of("tag", "--model", model, "--json", "--aggregation", "none", "w1 w2 w3").objects().getFirst();
        assertEquals(3, one.getAsJsonArray("entities").size());
        assertTrue(CliRun.of("tag", "--model", model, "w1 w2 w3").output().startsWith("x ")
                || CliRun.of("tag", "--model", model, "w1 w2 w3").output().startsWith("y "));
        assertEquals("invalid value for option '--aggregation': expected none, simple, first, average or max,"
                + " got 'all' (see 'fovea tag --help')",
                CliRun.of("tag", "--model", model, "--aggregation", "all", "w1").error(2));
    }

    @Test
    void shouldRefuseLongTextsIfAsked() throws Exception {
        String model = model("distilbert", "{\"0\": \"B-x\", \"1\": \"I-x\", \"2\": \"B-y\"}");
        String longer = "w3 ".repeat(30);
        CliRun.of("tag", "--model", model, longer).output();
        String message = CliRun.of("tag", "--model", model, "--on-long", "error", longer).error(1);
        assertTrue(message.contains("expected at most 20 tokens") && message.contains("got 30"), message);
        assertEquals("invalid value for option '--on-long': expected truncate or error, got 'chunk-mean'"
                + " (see 'fovea rerank --help')",
                CliRun.of("rerank", "--model", model, "--on-long", "chunk-mean", "w1", "w2").error(2));
    }

    @Test
    void shouldEmbedTerms() throws Exception {
        String model = model("bert", "{\"0\": \"a\"}");
        JsonObject one = CliRun.of("embed", "--model", model, "--sparse", "w1 w2 w3").objects().getFirst();
        assertTrue(one.getAsJsonObject("terms").size() > 0);
        assertTrue(CliRun.of("embed", "--model", model, "--tokens", "w1").error(1).contains("artifact.metadata"));
        assertTrue(CliRun.of("embed", "--model", "nowhere", "--tokens", "w1").error(1).startsWith("no model directory "));
        String longer = "w3 ".repeat(30);
        assertEquals(1, CliRun.of("embed", "--model", model, "--sparse", longer).objects().size());
        String refused = CliRun.of("embed", "--model", model, "--sparse", "--on-long", "error", longer).error(1);
        assertTrue(refused.contains("at most 20 tokens"), refused);
        assertTrue(CliRun.of("embed", "--model", model, "--sparse", "--on-long", "chunk-mean", "w1").error(1)
                .contains("CHUNK_MEAN"));
    }
}
