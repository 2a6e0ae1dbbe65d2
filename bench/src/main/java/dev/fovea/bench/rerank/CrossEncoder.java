package dev.fovea.bench.rerank;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** A cross-encoder of random weights in the shape of a public one: a BERT whose first token is scored. */
final class CrossEncoder {
    /** The shape of ms-marco-MiniLM-L6-v2. */
    static final String MINI_LM = "ms-marco-MiniLM-L6";

    /** The layers of bge-reranker-base. */
    static final String BASE = "bge-reranker-base";

    /** Of no public model. */
    static final String SMALLEST = "2 layers of 64";

    /** The sizes of a public model, but for its vocabulary, which is that of all-MiniLM-L6-v2. */
    record Shape(int layers, int width, int heads, int inner) {
        static final int VOCABULARY = 30522;
        static final int POSITIONS = 512;

        /** The shape that a model's name stands for. */
        static Shape of(String model) {
            return switch (model) {
                case MINI_LM -> new Shape(6, 384, 12, 1536);
                case BASE -> new Shape(12, 768, 12, 3072);
                case SMALLEST -> new Shape(2, 64, 2, 128);
                default -> throw new IllegalArgumentException("no cross-encoder has the shape of " + model);
            };
        }

        /** The floating-point operations of a pair of so many tokens. */
        double flops(int tokens) {
            double linear = 2.0 * layers * (4.0 * width * width + 2.0 * width * inner);
            return tokens * (linear + 4.0 * layers * width * tokens);
        }
    }

    /** Values and their shape, [rows, columns] or [elements]. */
    record Weight(float[] values, int... shape) {}

    private final Shape shape;
    private final SplittableRandom random = new SplittableRandom(16);
    private final Map<String, Weight> weights = new LinkedHashMap<>();

    /** The same weights for the same shape. */
    CrossEncoder(Shape shape) {
        this.shape = shape;
        int width = shape.width();
        add("bert.embeddings.word_embeddings.weight", 1, 0, Shape.VOCABULARY, width);
        add("bert.embeddings.position_embeddings.weight", 1, 0, Shape.POSITIONS, width);
        add("bert.embeddings.token_type_embeddings.weight", 1, 0, 2, width);
        norm("bert.embeddings.LayerNorm");
        for (int layer = 0; layer < shape.layers(); layer++) {
            String name = "bert.encoder.layer." + layer + ".";
            for (String part : new String[] {"self.query", "self.key", "self.value", "output.dense"}) {
                linear(name + "attention." + part, width, width);
            }
            norm(name + "attention.output.LayerNorm");
            linear(name + "intermediate.dense", shape.inner(), width);
            linear(name + "output.dense", width, shape.inner());
            norm(name + "output.LayerNorm");
        }
        linear("bert.pooler.dense", width, width);
        linear("classifier", 1, width);
    }

    /** Its sizes. */
    Shape shape() {
        return shape;
    }

    /** A weight by its name in a checkpoint. */
    Weight weight(String name) {
        return weights.get(name);
    }

    /** Its {@code config.json}, by which scores are the model's own numbers. */
    String config() {
        return """
                {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "vocab_size": %d,
                 "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
                 "hidden_act": "gelu", "max_position_embeddings": %d, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
                 "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
                 "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}
                """.formatted(Shape.VOCABULARY, shape.width(), shape.layers(), shape.heads(), shape.inner(),
                Shape.POSITIONS);
    }

    /** Writes the weights as a safetensors file. */
    void writeSafetensors(Path file) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long end = 0;
        for (var entry : weights.entrySet()) {
            long start = end;
            end += (long) Float.BYTES * entry.getValue().values().length;
            header.append(header.length() == 1 ? "" : ", ").append('"').append(entry.getKey())
                    .append("\": {\"dtype\": \"F32\", \"shape\": ")
                    .append(Arrays.toString(entry.getValue().shape()))
                    .append(", \"data_offsets\": [").append(start).append(", ").append(end).append("]}");
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
            out.write(json);
            for (Weight weight : weights.values()) {
                out.write(bytes(weight.values()));
            }
        }
    }

    /** As files keep them. */
    static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private void linear(String name, int outputs, int inputs) {
        add(name + ".weight", 1 / Math.sqrt(inputs), 0, outputs, inputs);
        add(name + ".bias", 0.1, 0, outputs);
    }

    private void norm(String name) {
        add(name + ".weight", 0.2, 1, shape.width());
        add(name + ".bias", 0.2, 0, shape.width());
    }

    private void add(String name, double deviation, double mean, int... size) {
        float[] values = new float[size.length == 1 ? size[0] : size[0] * size[1]];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + random.nextGaussian() * deviation);
        }
        weights.put(name, new Weight(values, size));
    }
}
