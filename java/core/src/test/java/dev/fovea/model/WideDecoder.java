package dev.fovea.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** A Llama of random weights, wide enough for every type of weights. */
final class WideDecoder {
    private static final int WIDTH = 256;
    private static final int VOCABULARY = 31;
    private static final int LAYERS = 2;

    private WideDecoder() {}

    /** Writes it to a directory, once. */
    static Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        if (Files.exists(directory.resolve("config.json"))) {
            return directory;
        }
        Map<String, int[]> shapes = new LinkedHashMap<>();
        shapes.put("model.embed_tokens.weight", new int[] {VOCABULARY, WIDTH});
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "model.layers." + layer + ".";
            for (String name : new String[] {"q_proj", "o_proj"}) {
                shapes.put(prefix + "self_attn." + name + ".weight", new int[] {WIDTH, WIDTH});
            }
            for (String name : new String[] {"k_proj", "v_proj"}) {
                shapes.put(prefix + "self_attn." + name + ".weight", new int[] {WIDTH / 2, WIDTH});
            }
            for (String name : new String[] {"gate_proj", "up_proj", "down_proj"}) {
                shapes.put(prefix + "mlp." + name + ".weight", new int[] {WIDTH, WIDTH});
            }
            shapes.put(prefix + "input_layernorm.weight", new int[] {WIDTH});
            shapes.put(prefix + "post_attention_layernorm.weight", new int[] {WIDTH});
        }
        shapes.put("model.norm.weight", new int[] {WIDTH});
        shapes.put("lm_head.weight", new int[] {VOCABULARY, WIDTH});
        var header = new JsonObject();
        int bytes = 0;
        for (var entry : shapes.entrySet()) {
            var tensor = new JsonObject();
            var shape = new JsonArray();
            int size = Float.BYTES;
            for (int extent : entry.getValue()) {
                shape.add(extent);
                size *= extent;
            }
            var offsets = new JsonArray();
            offsets.add(bytes);
            offsets.add(bytes += size);
            tensor.addProperty("dtype", "F32");
            tensor.add("shape", shape);
            tensor.add("data_offsets", offsets);
            header.add(entry.getKey(), tensor);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        var random = new Random(7);
        shapes.forEach((name, shape) -> {
            for (int i = 0; i < shape[0] * (shape.length > 1 ? shape[1] : 1); i++) {
                file.putFloat((float) (random.nextGaussian() * (shape.length > 1 ? 0.08 : 0.1) + (shape.length > 1 ? 0 : 1)));
            }
        });
        Files.write(directory.resolve("model.safetensors"), file.array());
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 31, "hidden_size": 256,
                 "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                 "head_dim": 64, "hidden_act": "silu", "max_position_embeddings": 8192, "rms_norm_eps": 1e-6,
                 "rope_theta": 10000.0, "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2}
                """);
        return directory;
    }
}
