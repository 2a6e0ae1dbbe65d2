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
