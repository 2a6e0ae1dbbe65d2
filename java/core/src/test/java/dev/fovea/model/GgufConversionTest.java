package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.internal.backend.PackingProgress;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small Llama of random weights, 256 wide, with a tokenizer and a template, as GGUF of every type. */
class GgufConversionTest {
    private static final int WIDTH = 256;
    private static final int LAYERS = 4;
    private static final SamplingOptions OPTIONS =
            SamplingOptions.greedy().withMaxTokens(12).withIgnoresEnd(true).withLogProbabilities(true);

    @TempDir
    private Path directory;

    private static GeneratorOptions options() {
        return GeneratorOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1)).withContext(64)
                .withCache(DType.F32);
    }

    /** Bytes as GPT-2 spells them, a few merges, and two special tokens. */
    private static JsonObject bytes() {
        JsonObject vocabulary = new JsonObject();
        int other = 256;
        for (int b = 0; b < 256; b++) {
            boolean shown = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            vocabulary.addProperty(Character.toString(shown ? b : other++), b);
        }
        JsonArray merges = new JsonArray();
        for (String merge : List.of("h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "l d", "Ġwor ld", "Ã ¼", "1 2")) {
            merges.add(merge);
            vocabulary.addProperty(merge.replace(" ", ""), vocabulary.size());
        }
        JsonObject json = JsonParser.parseString("""
                {"version": "1.0", "truncation": null, "padding": null, "normalizer": {"type": "NFC"},
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
                   "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"},
                   "behavior": "Isolated", "invert": false},
                   {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
                 "post_processor": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
                 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                   "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false}}""").getAsJsonObject();
        JsonArray added = new JsonArray();
        for (String token : List.of("<|endoftext|>", "<|im_end|>", "<tool>")) {
            JsonObject one = JsonParser.parseString("{\"single_word\": false, \"lstrip\": false, \"rstrip\": false,"
                    + " \"normalized\": false}").getAsJsonObject();
            one.addProperty("id", vocabulary.size() + added.size());
            one.addProperty("content", token);
            one.addProperty("special", !token.equals("<tool>"));
            added.add(one);
        }
        json.add("added_tokens", added);
        json.getAsJsonObject("model").add("vocab", vocabulary);
        json.getAsJsonObject("model").add("merges", merges);
        return json;
    }

    private Path model() throws Exception {
        int vocabulary = 272; // rows more than tokens
        Map<String, TinyModel.Weight> weights = new LinkedHashMap<>();
        Random random = new Random(5);
        add(weights, random, "model.embed_tokens", 0.5, vocabulary, WIDTH);
        add(weights, random, "lm_head", 0.1, vocabulary, WIDTH);
        add(weights, random, "model.norm", 0, WIDTH);
        for (int layer = 0; layer < LAYERS; layer++) {
            String name = "model.layers." + layer + ".";
            for (String part : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")) {
                add(weights, random, name + part, 1 / 16.0, WIDTH, WIDTH);
            }
            add(weights, random, name + "input_layernorm", 0, WIDTH);
            add(weights, random, name + "post_attention_layernorm", 0, WIDTH);
        }
        Path made = Files.createDirectories(directory.resolve("llama"));
        Files.writeString(made.resolve("config.json"), """
                {"model_type": "llama", "vocab_size": 272, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4,
                 "num_key_value_heads": 4, "intermediate_size": 256, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                 "hidden_act": "silu", "rope_theta": 10000.0, "tie_word_embeddings": false, "eos_token_id": [268, 267]}""");
        Files.writeString(made.resolve("tokenizer.json"), bytes().toString());
        Files.writeString(made.resolve("tokenizer_config.json"), """
                {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
                 "chat_template": "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"}""");
        ModelDirectory.of(new TinyModel(1), directory.resolve("other")).tensors("../llama/model.safetensors", weights);
        return made;
    }

    private static void add(Map<String, TinyModel.Weight> weights, Random random, String name, double scale, Integer... shape) {
        int size = shape.length == 1 ? shape[0] : shape[0] * shape[1];
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (scale == 0 ? 1 + 0.1 * random.nextGaussian() : scale * random.nextGaussian());
        }
        weights.put(name + ".weight", new TinyModel.Weight(List.of(shape), values));
    }

    private Path convert(Path source, String name, GgufFileType type) throws Exception {
        Path file = directory.resolve(name + ".gguf");
        GgufConversion.convert(source, file, type, (_, _) -> { });
        return file;
    }

    @Test
    void shouldWriteTheSameTextsAsTheDirectory() throws Exception {
        Path source = model();
        Path file = convert(source, "f32", GgufFileType.F32);
        try (var before = TextGenerator.load(source, options()); var after = TextGenerator.load(file, options())) {
            for (String prompt : List.of("hello world 1212", "Grüße <tool>", "日本 e\u0301")) {
                GeneratedText expected = before.generate(prompt, OPTIONS);
                GeneratedText got = after.generate(prompt, OPTIONS);
                assertArrayEquals(expected.tokens(), got.tokens());
                assertArrayEquals(expected.logProbabilities(), got.logProbabilities(), 1e-5f);
                assertEquals(expected.text(), got.text());
                assertEquals(expected.promptTokens(), got.promptTokens());
            }
            Chat chat = Chat.of(List.of(ChatMessage.user("hello")));
            assertEquals(before.prompt(chat), after.prompt(chat));
        }
        try (GgufWeights weights = GgufWeights.open(file); Tokenizer own = Tokenizer.load(source, "llama");
                Tokenizer written = Tokenizer.load(weights.metadata())) {
            assertArrayEquals(own.endIds(), written.endIds());
            assertEquals("qwen2", weights.metadata().string("tokenizer.ggml.pre"));
            assertEquals(0, weights.metadata().integer("general.file_type", 0));
            assertEquals("[PAD271]", weights.metadata().strings("tokenizer.ggml.tokens").getLast());
        }
    }

    @Test
    void shouldComeCloseInEveryType() throws Exception {
        Path source = model();
        float[] expected = first(source);
        for (GgufFileType type : GgufFileType.values()) {
            float[] got = first(convert(source, type.name(), type));
            double product = 0;
            double one = 0;
            double other = 0;
            for (int i = 0; i < got.length; i++) {
                product += expected[i] * got[i];
                one += expected[i] * expected[i];
                other += got[i] * got[i];
            }
            double cosine = product / Math.sqrt(one * other);
            double least = switch (type) {
                case F32, F16 -> 0.9999;
                case BF16, Q8_0 -> 0.999;
                case Q6_K, Q5_K, Q5_1, Q5_0 -> 0.97;
                case Q2_K -> 0.5;
                case Q3_K -> 0.8;
                default -> 0.9;
            };
            assertTrue(cosine >= least, type + ": " + cosine);
        }
    }

    /** The logits behind a prompt, from biases that make each token the likeliest. */
    private static float[] first(Path model) throws Exception {
        try (var generator = TextGenerator.load(model, options())) {
            List<Float> logits = new ArrayList<>();
            for (int token = 0; token < 10; token++) {
                var one = SamplingOptions.greedy().withMaxTokens(1).withIgnoresEnd(true).withLogProbabilities(true)
                        .withLogitBias(Map.of(token, 1000f));
                GeneratedText text = generator.generate(new int[] {5, 9, 100}, one);
                assertEquals(token, text.tokens()[0]);
                logits.add(text.logProbabilities()[0]);
            }
            float[] values = new float[logits.size()];
            double mean = logits.stream().mapToDouble(Float::doubleValue).average().orElseThrow();
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (logits.get(i) - mean);
            }
            return values;
        }
    }

    @Test
    void shouldSayHowFarLoadingIs() throws Exception {
        Path source = model();
        List<Long> done = new ArrayList<>();
        ScopedValue.where(PackingProgress.LISTENER, (now, total) -> {
            done.add(now);
            assertTrue(now <= total);
        }).call(() -> {
            TextGenerator.load(source, options()).close();
            return null;
        });
        assertEquals(done.stream().sorted().distinct().toList(), done);
        assertTrue(done.size() > LAYERS, done.toString());
    }

    @Test
    void shouldRoundAFileAsItRoundsADirectory() throws Exception {
        Path source = model();
        Path plain = convert(source, "f32", GgufFileType.F32);
        Path once = convert(source, "once", GgufFileType.Q4_K_M);
        Path twice = convert(plain, "twice", GgufFileType.Q4_K_M);
        try (GgufWeights first = GgufWeights.open(once); GgufWeights second = GgufWeights.open(twice)) {
            assertEquals(first.names(), second.names());
            assertEquals(15, second.metadata().integer("general.file_type", 0));
            for (String name : first.names()) {
                assertEquals(first.weight(name).layout(), second.weight(name).layout());
                assertEquals(-1, first.weight(name).segment().mismatch(second.weight(name).segment()), name);
            }
            // As llama.cpp chooses of four layers.
            assertEquals(Layout.Q6_K, first.weight("output.weight").layout());
            assertEquals(Layout.Q4_K, first.weight("token_embd.weight").layout());
            assertEquals(Layout.F32, first.weight("output_norm.weight").layout());
            for (int layer = 0; layer < LAYERS; layer++) {
                Layout costly = layer >= 2 ? Layout.Q6_K : Layout.Q4_K;
                assertEquals(costly, first.weight("blk." + layer + ".attn_v.weight").layout(), "layer " + layer);
                assertEquals(costly, first.weight("blk." + layer + ".ffn_down.weight").layout(), "layer " + layer);
                assertEquals(Layout.Q4_K, first.weight("blk." + layer + ".attn_q.weight").layout());
            }
        }
    }

    @Test
    void shouldFallBackWhereRowsAreShort() {
        var types = new TensorTypes(GgufFileType.Q4_K, List.of("output.weight"));
        assertEquals(Layout.Q4_K, types.of("blk.0.attn_q.weight", Shape.of(3, 512)));
        assertEquals(Layout.Q5_0, types.of("blk.0.attn_q.weight", Shape.of(3, 384)));
        assertEquals(Layout.F16, types.of("blk.0.attn_q.weight", Shape.of(3, 33)));
        assertFalse(TensorTypes.isRounded("position_embd.weight", Shape.of(3, 512)));
        assertFalse(TensorTypes.isRounded("blk.0.attn_norm.weight", Shape.of(512)));
    }

    @Test
    void shouldConvertAnEncoder() throws Exception {
        Path file = directory.resolve("minilm.gguf");
        Path source = ModelCatalog.loadable(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        GgufConversion.convert(source, file, GgufFileType.Q8_0, (_, _) -> { });
        try (var before = TextEncoder.load(source); var after = TextEncoder.load(file)) {
            for (String text : List.of("How do I reset my password?", "Grüße aus Köln!", "unbelievably 1984")) {
                float[] one = before.encode(text);
                float[] other = after.encode(text);
                double product = 0;
                for (int i = 0; i < one.length; i++) {
                    product += one[i] * other[i];
                }
                assertTrue(product > 0.999, text + ": " + product);
            }
        }
    }

    @Test
    void shouldRefuseWhatGgufCannotSay() throws Exception {
        Path source = model();
        Path file = convert(source, "f16", GgufFileType.F16);
        byte[] before = Files.readAllBytes(file);
        var same = assertThrows(IllegalArgumentException.class,
                () -> GgufConversion.convert(file, file, GgufFileType.Q8_0, (_, _) -> { }));
        assertTrue(same.getMessage().contains(file.toString()), same.getMessage());

        String good = Files.readString(source.resolve("tokenizer.json"));
        Files.writeString(source.resolve("tokenizer.json"), good.replace("\\\\p{N}|", "\\\\p{N}{1,5}|"));
        assertEquals("pre_tokenizer", assertThrows(FormatException.class,
                () -> GgufConversion.convert(source, file, GgufFileType.F16, (_, _) -> { })).field());
        Files.writeString(source.resolve("tokenizer.json"), good);
        Files.writeString(source.resolve("modules.json"), "[]");
        assertEquals("type", assertThrows(FormatException.class,
                () -> GgufConversion.convert(source, file, GgufFileType.F16, (_, _) -> { })).field());
        assertThrows(ModelNotFoundException.class,
                () -> GgufConversion.convert(directory.resolve("none"), file, GgufFileType.F16, (_, _) -> { }));
        assertArrayEquals(before, Files.readAllBytes(file));
    }
}
