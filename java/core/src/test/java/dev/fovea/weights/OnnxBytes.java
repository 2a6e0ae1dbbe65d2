package dev.fovea.weights;

import java.util.List;

/** Writes small ONNX models, valid or not. */
final class OnnxBytes {
    static final int FLOAT = 1;

    private final ProtoBytes graph = new ProtoBytes();

    /** A {@code TensorProto} with {@code raw_data}. */
    static ProtoBytes tensor(String name, int type, byte[] data, long... dims) {
        return described(name, type, dims).bytes(9, data);
    }

    /** A {@code TensorProto} without data. */
    static ProtoBytes described(String name, int type, long... dims) {
        return new ProtoBytes().packed(1, dims).varint(2, type).text(8, name);
    }

    /** Adds an initializer. */
    OnnxBytes initializer(ProtoBytes tensor) {
        graph.message(5, tensor);
        return this;
    }

    /** Adds a {@code FLOAT} initializer of zeros. */
    OnnxBytes floats(String name, long... dims) {
        int bytes = 4;
        for (long size : dims) {
            bytes *= (int) size;
        }
        return initializer(tensor(name, FLOAT, new byte[bytes], dims));
    }

    /** Adds a node; each attribute is a whole {@code AttributeProto}. */
    OnnxBytes node(String operator, List<String> inputs, String output, ProtoBytes... attributes) {
        ProtoBytes node = new ProtoBytes();
        inputs.forEach(input -> node.text(1, input));
        node.text(2, output).text(4, operator);
        for (ProtoBytes attribute : attributes) {
            node.message(5, attribute);
        }
        graph.message(1, node);
        return this;
    }

    /** Adds a node of a domain, with a name; {@code ""} is the domain of ONNX. */
    OnnxBytes named(String domain, String operator, String name, List<String> inputs, String output,
            ProtoBytes... attributes) {
        ProtoBytes node = new ProtoBytes().text(7, domain).text(3, name);
        inputs.forEach(input -> node.text(1, input));
        node.text(2, output).text(4, operator);
        for (ProtoBytes attribute : attributes) {
            node.message(5, attribute);
        }
        graph.message(1, node);
        return this;
    }

    /** Adds a node of ONNX Runtime's own operators. */
    OnnxBytes fused(String operator, List<String> inputs, String output, ProtoBytes... attributes) {
        return named("com.microsoft", operator, operator + " of " + output, inputs, output, attributes);
    }

    /** Adds a node {@code Constant}. */
    OnnxBytes constant(String output, ProtoBytes tensor) {
        return node("Constant", List.of(), output, new ProtoBytes().text(1, "value").message(5, tensor));
    }

    /** A {@code TensorProto} whose data is in another file; keys and values by turns. */
    static ProtoBytes external(String name, int type, List<String> entries, long... dims) {
        ProtoBytes tensor = described(name, type, dims).varint(14, 1);
        for (int i = 0; i < entries.size(); i += 2) {
            tensor.message(13, new ProtoBytes().text(1, entries.get(i)).text(2, entries.get(i + 1)));
        }
        return tensor;
    }

    /** Adds the nodes that ONNX Runtime's dynamic quantization makes of x · weight + bias. */
    OnnxBytes quantizedLinear(String x, String weight, String bias) {
        return node("DynamicQuantizeLinear", List.of(x), x + "_quantized")
                .node("Mul", List.of(x + "_scale", weight + "_scale"), weight + " scales")
                .node("MatMulInteger",
                        List.of(x + "_quantized", weight + "_quantized", x + "_zero_point", weight + "_zero_point"),
                        weight + " integers")
                .node("Cast", List.of(weight + " integers"), weight + " cast")
                .node("Mul", List.of(weight + " cast", weight + " scales"), weight + " product")
                .node("Add", List.of(bias, weight + " product"), weight + " out");
    }

    static ProtoBytes attribute(String name, long value) {
        return new ProtoBytes().text(1, name).varint(3, value);
    }

    static ProtoBytes attribute(String name, long... values) {
        ProtoBytes attribute = new ProtoBytes().text(1, name);
        for (long value : values) {
            attribute.varint(8, value);
        }
        return attribute;
    }

    static ProtoBytes attribute(String name, float value) {
        return new ProtoBytes().text(1, name).fixed32(2, value);
    }

    byte[] toBytes() {
        return model(graph);
    }

    /** A model of this graph. */
    static byte[] model(ProtoBytes graph) {
        return new ProtoBytes().varint(1, 8).text(2, "test").message(7, graph).toBytes();
    }

}
