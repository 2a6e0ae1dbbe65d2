package dev.fovea.server;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Small models of random weights, whose tokens are {@code w0} to {@code w28}. */
final class TestModels {
    private static final Path MODELS = Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model");

    private TestModels() {}

    private static String tokenizer(int words) {
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < words; i++) {
            vocabulary.addProperty("w" + i, i);
        }
        return """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": null, "model": {"type": "WordLevel", "unk_token": "w0", "vocab": %s}}
                """.formatted(vocabulary);
    }

    private static JsonObject config(Path folder) throws IOException {
        return JsonParser.parseString(Files.readString(folder.resolve("config.json"))).getAsJsonObject();
    }

    /** An encoder with a head. It reads 20 tokens. */
    static Path labels(Path directory) throws IOException {
        return scores(directory, "bert", "{\"0\": \"no\", \"1\": \"maybe\", \"2\": \"yes\"}");
    }

    /** One of a single label. */
    static Path ranker(Path directory) throws IOException {
        return scores(directory, "gte-new", "{\"0\": \"a\"}");
    }

    private static Path scores(Path directory, String family, String labels) throws IOException {
        Path golden = MODELS.resolve("family/golden").resolve(family);
        JsonObject config = config(golden);
        config.add("id2label", JsonParser.parseString(labels));
        config.add("architectures", JsonParser.parseString("[\"BertForSequenceClassification\"]"));
        return write(directory, golden, config, 29);
    }

    /** A model of weights of terms. */
    static Path terms(Path directory) throws IOException {
        Path golden = MODELS.resolve("family/golden/bert");
        write(directory, golden, config(golden), 29);
        Files.writeString(directory.resolve("config_sentence_transformers.json"), "{\"model_type\": \"SparseEncoder\"}");
        return directory;
    }

    /** A language model that never ends by itself and has room for {@code context} tokens; its chats are words. */
    static Path writer(Path directory, int context) throws IOException {
        Path golden = MODELS.resolve("decoder/golden/llama");
        JsonObject config = config(golden);
        config.addProperty("max_position_embeddings", context);
        config.remove("eos_token_id");
        write(directory, golden, config, 31);
        JsonObject settings = new JsonObject();
        settings.add("chat_template", new JsonPrimitive("{% for t in tools %}{{ t.function.name + ' ' }}{% endfor %}"
                + "{% for m in messages %}{{ m.content + ' ' }}{% endfor %}"));
        Files.writeString(directory.resolve("tokenizer_config.json"), settings.toString());
        return directory;
    }

    private static Path write(Path directory, Path golden, JsonElement config, int words) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config.toString());
        Files.copy(golden.resolve("model.safetensors"), directory.resolve("model.safetensors"));
        Files.writeString(directory.resolve("tokenizer.json"), tokenizer(words));
        return directory;
    }
}
