package dev.fovea.bench.rerank;

import dev.fovea.bench.rerank.CrossEncoder.Weight;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A cross-encoder as an ONNX file, in the fused operators that ONNX Runtime's own optimizer of transformers writes. The
 * numbers of fields are those of onnx.proto.
 */
final class OnnxFile {
    private static final int FLOAT = 1;
    private static final int INT32 = 6;
    private static final int INT64 = 7;
    private static final String FUSED = "com.microsoft";

    private final CrossEncoder model;
    private final Proto graph = new Proto();
    private int next;

    private OnnxFile(CrossEncoder model) {
        this.model = model;
    }

    /** Writes the file, whose inputs are {@code input_ids}, {@code attention_mask} and {@code token_type_ids}. */
    static void write(CrossEncoder model, Path file) throws IOException {
        var onnx = new OnnxFile(model);
        onnx.forward();
        try (OutputStream out = Files.newOutputStream(file)) {
            onnx.model().writeTo(out);
        }
    }

    private void forward() {
        String e = "bert.embeddings.";
        String x = name();
        String lengths = name();
        node("EmbedLayerNormalization", FUSED, List.of(int32("input_ids"), int32("token_type_ids"),
                weight(e + "word_embeddings.weight"), weight(e + "position_embeddings.weight"),
                weight(e + "token_type_embeddings.weight"), weight(e + "LayerNorm.weight"), weight(e + "LayerNorm.bias"),
                int32("attention_mask")), List.of(x, lengths), attribute("epsilon", 1e-12f));
        for (int layer = 0; layer < model.shape().layers(); layer++) {
            String name = "bert.encoder.layer." + layer + ".";
            String mixed = fused("Attention", List.of(x, queryKeyValue(name), queryKeyValueBias(name), lengths),
                    attribute("num_heads", model.shape().heads()));
            x = residual(product(mixed, name + "attention.output.dense"), x, name + "attention.output.");
            String inner = fused("BiasGelu", List.of(product(x, name + "intermediate.dense"),
                    weight(name + "intermediate.dense.bias")));
            x = residual(product(inner, name + "output.dense"), x, name + "output.");
        }
        String first = plain("Gather", List.of(x, integer(0)), attribute("axis", 1));
        String pooled = plain("Tanh", List.of(linear(first, "bert.pooler.dense")));
        node("Identity", "", List.of(linear(pooled, "classifier")), List.of("logits"));
    }

    private String int32(String input) {
        return plain("Cast", List.of(input), attribute("to", INT32));
    }

    private String residual(String x, String residual, String name) {
        return fused("SkipLayerNormalization", List.of(x, residual, weight(name + "LayerNorm.weight"),
                weight(name + "LayerNorm.bias"), weight(name + "dense.bias")), attribute("epsilon", 1e-12f));
    }

    private String linear(String x, String name) {
        return plain("Gemm", List.of(x, weight(name + ".weight"), weight(name + ".bias")), attribute("transB", 1));
    }

    private String product(String x, String name) {
        Weight weight = model.weight(name + ".weight");
        return plain("MatMul", List.of(x, initializer(name + ".transposed", transposed(weight), weight.shape()[1],
                weight.shape()[0])));
    }

    /** [width, 3 width]. */
    private String queryKeyValue(String layer) {
        int width = model.shape().width();
        float[] all = new float[3 * width * width];
        for (int part = 0; part < 3; part++) {
            float[] one = transposed(model.weight(layer + self(part) + ".weight"));
            for (int row = 0; row < width; row++) {
                System.arraycopy(one, row * width, all, (3 * row + part) * width, width);
            }
        }
        return initializer(layer + "qkv.weight", all, width, 3 * width);
    }

    private String queryKeyValueBias(String layer) {
        int width = model.shape().width();
        float[] all = new float[3 * width];
        for (int part = 0; part < 3; part++) {
            System.arraycopy(model.weight(layer + self(part) + ".bias").values(), 0, all, part * width, width);
        }
        return initializer(layer + "qkv.bias", all, 3 * width);
    }

    private static String self(int part) {
        return "attention.self." + List.of("query", "key", "value").get(part);
    }

    private static float[] transposed(Weight weight) {
        int rows = weight.shape()[0];
        int columns = weight.shape()[1];
        float[] turned = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                turned[column * rows + row] = weight.values()[row * columns + column];
            }
        }
        return turned;
    }

    private String weight(String name) {
        Weight weight = model.weight(name);
        return initializer(name, weight.values(), weight.shape());
    }

    private String initializer(String name, float[] values, int... shape) {
        Proto tensor = new Proto();
        for (int size : shape) {
            tensor.varint(1, size);
        }
        graph.message(5, tensor.varint(2, FLOAT).text(8, name).bytes(9, CrossEncoder.bytes(values)));
        return name;
    }

    /** A scalar. */
    private String integer(long value) {
        String name = name();
        graph.message(5, new Proto().varint(2, INT64).varint(7, value).text(8, name));
        return name;
    }

    private String name() {
        return "value_" + next++;
    }

    private String plain(String operator, List<String> inputs, Proto... attributes) {
        String output = name();
        node(operator, "", inputs, List.of(output), attributes);
        return output;
    }

    private String fused(String operator, List<String> inputs, Proto... attributes) {
        String output = name();
        node(operator, FUSED, inputs, List.of(output), attributes);
        return output;
    }

    private void node(String operator, String domain, List<String> inputs, List<String> outputs, Proto... attributes) {
        Proto node = new Proto();
        inputs.forEach(input -> node.text(1, input));
        outputs.forEach(output -> node.text(2, output));
        node.text(4, operator).text(7, domain);
        for (Proto attribute : attributes) {
            node.message(5, attribute);
        }
        graph.message(1, node);
    }

    private static Proto attribute(String name, int value) {
        return new Proto().text(1, name).varint(3, value).varint(20, 2);
    }

    private static Proto attribute(String name, float value) {
        return new Proto().text(1, name).fixed32(2, value).varint(20, 1);
    }

    private Proto model() {
        graph.text(2, "cross-encoder");
        for (String input : List.of("input_ids", "attention_mask", "token_type_ids")) {
            graph.message(11, declared(input, INT64, new Proto().text(2, "tokens")));
        }
        graph.message(12, declared("logits", FLOAT, new Proto().varint(1, 1)));
        Proto standard = new Proto().text(1, "").varint(2, 14);
        Proto own = new Proto().text(1, FUSED).varint(2, 1);
        return new Proto().varint(1, 8).text(2, "fovea-bench").message(7, graph).message(8, standard).message(8, own);
    }

    /** An input or output, [sequences, columns]. */
    private static Proto declared(String name, int type, Proto columns) {
        Proto shape = new Proto().message(1, new Proto().text(2, "sequences")).message(1, columns);
        Proto tensor = new Proto().varint(1, type).message(2, shape);
        return new Proto().text(1, name).message(2, new Proto().message(1, tensor));
    }
}
