package dev.fovea.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.StringJoiner;

/** A language model of random weights that writes any bytes: a llama of one layer, and a byte-level vocabulary. */
public final class TinyGenerator {
    /** The token that ends a text. */
    public static final int END = 0;

    private static final int WIDTH = 16;
    private static final String[] PIECES = {"{\"", "\":", "\": ", "\",", "\", \"", "\"}", "},", "}]", "[\"", "\"]", "[{", ", ", ": ", "true",
        "false", "null", "\n  ", "\n   ", "  ", "    ", "name", "id", " the", "ab", "cd", "é", "中", "文", "\\\"", "\\n", "\\u", "00", "12", "2024-",
        "1.", "e5", "T1", ":00", ".com", "hello", "world", "\",\"", "\":\"", "\":[", "\":{", "yes", "no", "perhaps", "<tool", "_call>"};

    private TinyGenerator() {}

    /** The tokens: bytes and pieces, as a byte-level vocabulary spells them. */
    public static List<String> tokens() {
        List<String> tokens = new ArrayList<>(List.of("</s>", "<|im_start|>", "<|im_end|>"));
        for (int b = 0; b < 256; b++) {
            tokens.add(spelled(new byte[] {(byte) b}));
        }
        for (String piece : PIECES) {
            tokens.add(spelled(piece.getBytes(StandardCharsets.UTF_8)));
        }
        tokens.add(spelled(new byte[] {(byte) 0xe4, (byte) 0xb8})); // the begin of a character
        tokens.add(spelled(new byte[] {(byte) 0x80, '"'})); // the end of one
        return tokens;
    }

    /** As GPT-2 spells bytes. */
    private static String spelled(byte[] bytes) {
        var spelled = new StringBuilder();
        for (byte one : bytes) {
            int b = one & 0xff;
            if (isVisible(b)) {
                spelled.append((char) b);
            } else {
                int others = 0;
                for (int c = 0; c < b; c++) {
                    others += isVisible(c) ? 0 : 1;
                }
                spelled.append((char) (256 + others));
            }
        }
        return spelled.toString();
    }

    private static boolean isVisible(int b) {
        return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
    }

    /** Writes the tokenizer. */
    public static Path tokenizer(Path folder) throws IOException {
        JsonObject vocabulary = new JsonObject();
        for (String token : tokens()) {
            vocabulary.addProperty(token, vocabulary.size());
        }
        JsonArray added = new JsonArray();
        for (int id = 0; id < 3; id++) {
            JsonObject token = new JsonObject();
            token.addProperty("id", id);
            token.addProperty("content", tokens().get(id));
            for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
                token.addProperty(flag, false);
            }
            token.addProperty("special", true);
            added.add(token);
        }
        return Files.writeString(folder.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s, "normalizer": null,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
                 "post_processor": null, "decoder": {"type": "ByteLevel"},
                 "model": {"type": "BPE", "vocab": %s, "merges": []}}""".formatted(added, vocabulary));
    }

    /** Writes a model whose weights depend on a seed. */
    public static Path write(Path folder, long seed) throws IOException {
        Files.createDirectories(folder);
        tokenizer(folder);
        int vocabulary = tokens().size() + 5; // models have a few ids more than there are tokens
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "intermediate_size": 24,
                 "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1, "head_dim": 8, "vocab_size": %d,
                 "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "hidden_act": "silu", "tie_word_embeddings": false,
                 "rope_theta": 10000.0, "eos_token_id": %d}""".formatted(WIDTH, vocabulary, END));
        var random = new Random(seed);
        var header = new StringJoiner(",", "{", "}");
        ByteBuffer data = ByteBuffer.allocate(1 << 18).order(ByteOrder.LITTLE_ENDIAN);
        add(header, data, random, "model.embed_tokens.weight", vocabulary, WIDTH);
        String layer = "model.layers.0.";
        add(header, data, random, layer + "self_attn.q_proj.weight", WIDTH, WIDTH);
        add(header, data, random, layer + "self_attn.k_proj.weight", 8, WIDTH);
        add(header, data, random, layer + "self_attn.v_proj.weight", 8, WIDTH);
        add(header, data, random, layer + "self_attn.o_proj.weight", WIDTH, WIDTH);
        add(header, data, random, layer + "mlp.gate_proj.weight", 24, WIDTH);
        add(header, data, random, layer + "mlp.up_proj.weight", 24, WIDTH);
        add(header, data, random, layer + "mlp.down_proj.weight", WIDTH, 24);
        add(header, data, random, layer + "input_layernorm.weight", WIDTH, 0);
        add(header, data, random, layer + "post_attention_layernorm.weight", WIDTH, 0);
        add(header, data, random, "model.norm.weight", WIDTH, 0);
        add(header, data, random, "lm_head.weight", vocabulary, WIDTH);
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + data.position()).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text).put(data.flip());
        Files.write(folder.resolve("model.safetensors"), file.array());
        return folder;
    }

    private static void add(StringJoiner header, ByteBuffer data, Random random, String name, int rows, int columns) {
        int begin = data.position();
        for (int i = 0; i < rows * Math.max(1, columns); i++) {
            data.putFloat((float) (columns == 0 ? 1 + 0.1 * random.nextGaussian() : random.nextGaussian() / 4));
        }
        header.add("\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}".formatted(name,
                columns == 0 ? rows : rows + "," + columns, begin, data.position()));
    }
}
