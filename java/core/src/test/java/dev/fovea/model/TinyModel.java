package dev.fovea.model;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A BERT of random weights, small enough for {@link ReferenceBert}, and the directory that carries it. Its tokens are
 * the words {@code w0} to {@code w44}; its sizes are multiples of nothing.
 */
public final class TinyModel {
    public static final int VOCABULARY = 50;
    public static final int HIDDEN = 33;
    public static final int HEADS = 3;
    public static final int LAYERS = 2;
    public static final int INTERMEDIATE = 71;
    public static final int POSITIONS = 20;

    public static final int CLS = 2;
    public static final int SEP = 3;
    public static final int FIRST_WORD = 5;

    /** The fields of {@code config.json}; tests change them before {@link #write}. */
    public final JsonObject config = JsonParser.parseString("""
            {"model_type": "bert", "vocab_size": 50, "hidden_size": 33, "num_hidden_layers": 2,
             "num_attention_heads": 3, "intermediate_size": 71, "hidden_act": "gelu",
             "max_position_embeddings": 20, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}
            """).getAsJsonObject();

    /** [rows, columns] or [elements] of each weight, and its values. */
    final Map<String, Weight> weights = new LinkedHashMap<>();

    /** What is put before every weight's name in the file. */
    String prefix = "";

    /** A weight's shape and values. */
    record Weight(List<Integer> shape, float[] values) {}

    public TinyModel(long seed) {
        Random random = new Random(seed);
        add(random, "embeddings.word_embeddings.weight", 1, VOCABULARY, HIDDEN);
        add(random, "embeddings.position_embeddings.weight", 1, POSITIONS, HIDDEN);
        add(random, "embeddings.token_type_embeddings.weight", 1, 2, HIDDEN);
        norm(random, "embeddings.LayerNorm");
        for (int layer = 0; layer < LAYERS; layer++) {
            String name = "encoder.layer." + layer + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(random, name + "attention." + part, HIDDEN, HIDDEN);
            }
            norm(random, name + "attention.output.LayerNorm");
            linear(random, name + "intermediate.dense", INTERMEDIATE, HIDDEN);
            linear(random, name + "output.dense", HIDDEN, INTERMEDIATE);
            norm(random, name + "output.LayerNorm");
        }
    }

    /** Adds a pooler and a head of one label. */
    public void addScores() {
        Random random = new Random(2);
        prefix = "bert.";
        linear(random, "pooler.dense", HIDDEN, HIDDEN);
        linear(random, "classifier", 1, HIDDEN);
        config.add("id2label", JsonParser.parseString("{\"0\": \"LABEL_0\"}"));
    }

    /** Writes {@code config.json}, {@code tokenizer.json} and {@code model.safetensors}. */
    public Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config.toString());
        Files.writeString(directory.resolve("tokenizer.json"), tokenizerJson());
        Files.write(directory.resolve("model.safetensors"), safetensors());
        return directory;
    }

    /** Writes the files of sentence-transformers beside them. */
    public static void writeSentenceFiles(Path directory, String poolingFlag, boolean normalize, int maxTokens)
            throws IOException {
        Files.writeString(directory.resolve("modules.json"), """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}%s]
                """.formatted(!normalize ? "" : """
                , {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}"""));
        Files.createDirectories(directory.resolve("1_Pooling"));
        Files.writeString(directory.resolve("1_Pooling/config.json"),
                "{\"word_embedding_dimension\": 33, \"pooling_mode_mean_tokens\": false, \"" + poolingFlag + "\": true}");
        Files.writeString(directory.resolve("sentence_bert_config.json"), "{\"max_seq_length\": " + maxTokens + "}");
    }

    /** The ids of a text of words, between [CLS] and [SEP]. */
    public static int[] ids(int... words) {
        int[] ids = new int[words.length + 2];
        ids[0] = CLS;
        for (int i = 0; i < words.length; i++) {
            ids[i + 1] = FIRST_WORD + words[i];
        }
        ids[ids.length - 1] = SEP;
        return ids;
    }

    /** A text of words. */
    public static String text(int... words) {
        StringBuilder text = new StringBuilder();
        for (int word : words) {
            text.append(text.isEmpty() ? "w" : " w").append(word);
        }
        return text.toString();
    }

    float[] values(String name) {
        return weights.get(name).values();
    }

    private void linear(Random random, String name, int outputs, int inputs) {
        add(random, name + ".weight", (float) (1 / Math.sqrt(inputs)), outputs, inputs);
        add(random, name + ".bias", 0.1f, outputs);
    }

    private void norm(Random random, String name) {
        add(random, name + ".weight", 0.2f, HIDDEN);
        for (int i = 0; i < HIDDEN; i++) {
            values(name + ".weight")[i] += 1;
        }
        add(random, name + ".bias", 0.2f, HIDDEN);
    }

    private void add(Random random, String name, float deviation, Integer... shape) {
        int elements = List.of(shape).stream().reduce(1, (a, b) -> a * b);
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (float) random.nextGaussian() * deviation;
        }
        weights.put(name, new Weight(List.of(shape), values));
    }

    private byte[] safetensors() {
        Map<String, Object> header = new LinkedHashMap<>();
        long end = 0;
        for (var entry : weights.entrySet()) {
            long start = end;
            end += 4L * entry.getValue().values().length;
            header.put((entry.getKey().startsWith("classifier") ? "" : prefix) + entry.getKey(), Map.of(
                    "dtype", "F32", "shape", entry.getValue().shape(), "data_offsets", List.of(start, end)));
        }
        byte[] json = new Gson().toJson(header).getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + (int) end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (Weight weight : weights.values()) {
            for (float value : weight.values()) {
                bytes.putFloat(value);
            }
        }
        return bytes.array();
    }

    static String tokenizerJson() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (String special : List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")) {
            vocabulary.put(special, vocabulary.size());
        }
        for (int word = 0; vocabulary.size() < VOCABULARY; word++) {
            vocabulary.put("w" + word, vocabulary.size());
        }
        return """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                   "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                   "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                      "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
                 "decoder": null,
                 "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                           "max_input_chars_per_word": 100, "vocab": %s}}
                """.formatted(new Gson().toJson(vocabulary));
    }
}
