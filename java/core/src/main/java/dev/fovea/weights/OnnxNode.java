package dev.fovea.weights;

import java.util.ArrayList;
import java.util.List;

/**
 * A {@code NodeProto} of a graph, as far as naming the weights needs it.
 *
 * @param operator such as {@code MatMul}
 * @param inputs names of values; empty where an optional input is absent
 * @param output the name of the first result, or empty
 * @param plain whether the attributes {@code transA}, {@code alpha} and {@code beta} have their defaults 0, 1 and 1
 * @param transposedWeight the attribute {@code transB}
 */
record OnnxNode(String operator, List<String> inputs, String output, boolean plain, boolean transposedWeight) {
    private static final int DOMAIN = 7;

    /** The node, or null where it is of no operator that a linear layer is made of. */
    static OnnxNode read(ProtoReader message) throws FormatException {
        ProtoReader fields = message.again();
        String operator = "";
        for (int field = message.next(); field != 0; field = message.next()) {
            if (field == 4) {
                operator = message.string("op_type");
            } else if (field == DOMAIN && !message.string("domain").isEmpty()) {
                operator = "";
                break;
            } else if (field != DOMAIN) {
                message.skip();
            }
        }
        return switch (operator) {
            case "Add", "MatMul", "Gemm", "MatMulInteger", "Cast", "Mul" -> read(fields, operator);
            default -> null;
        };
    }

    private static OnnxNode read(ProtoReader message, String operator) throws FormatException {
        List<String> inputs = new ArrayList<>();
        String output = "";
        boolean plain = true;
        boolean transposedWeight = false;
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> inputs.add(message.string("input"));
                case 2 -> {
                    String name = message.string("output");
                    output = output.isEmpty() ? name : output;
                }
                case 5 -> {
                    Attribute attribute = Attribute.read(message.message("attribute"));
                    switch (attribute.name) {
                        case "alpha", "beta" -> plain &= attribute.number == 1;
                        case "transA" -> plain &= attribute.integer == 0;
                        case "transB" -> transposedWeight = attribute.integer != 0;
                        default -> { }
                    }
                }
                default -> message.skip();
            }
        }
        return new OnnxNode(operator, inputs, output, plain, transposedWeight);
    }

    private record Attribute(String name, float number, long integer) {
        static Attribute read(ProtoReader message) throws FormatException {
            String name = "";
            float number = 0;
            long integer = 0;
            for (int field = message.next(); field != 0; field = message.next()) {
                switch (field) {
                    case 1 -> name = message.string("name");
                    case 2 -> number = Float.intBitsToFloat(message.fixed32("f"));
                    case 3 -> integer = message.varint("i");
                    default -> message.skip();
                }
            }
            return new Attribute(name, number, integer);
        }
    }
}
