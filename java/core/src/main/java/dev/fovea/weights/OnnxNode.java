package dev.fovea.weights;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A {@code NodeProto} of a graph, as far as naming the weights needs it.
 *
 * @param operator such as {@code MatMul}
 * @param name its own, for messages and for {@link #scope}; may be empty, and is where no weight is named after the node
 * @param inputs names of values; empty where an optional input is absent
 * @param output the name of the first result, or empty
 * @param module the module that torch.export says the node is of, or empty
 * @param attributes by their names
 */
record OnnxNode(String operator, String name, List<String> inputs, String output, String module,
        Map<String, Attribute> attributes) {
    /** Operators of ONNX. */
    private static final Set<String> STANDARD = Set.of("Add", "Cast", "Constant", "DequantizeLinear",
            "DynamicQuantizeLinear", "Gather", "Gemm", "Identity", "MatMul", "MatMulInteger", "Mul", "QLinearMatMul",
            "QuantizeLinear", "Reshape", "Transpose");

    /** Operators that ONNX Runtime makes. */
    private static final Set<String> CONTRIBUTED = Set.of("Attention", "BiasGelu", "DynamicQuantizeMatMul", "FastGelu",
            "FusedGemm", "FusedMatMul", "GatherBlockQuantized", "MatMulBnb4", "MatMulFpQ4", "MatMulIntegerToFloat",
            "MatMulNBits", "MultiHeadAttention", "QAttention", "QEmbedLayerNormalization", "QGemm",
            "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "TransposeMatMul");

    private static final String CONTRIBUTED_DOMAIN = "com.microsoft";
    private static final String SCOPES = "pkg.torch.onnx.name_scopes";

    /** An {@code AttributeProto}; {@code tensor} is null where there is none. */
    record Attribute(float number, long integer, List<Long> integers, ProtoReader tensor) {}

    /** The node, or null where it is of no operator that weights pass through. */
    static OnnxNode read(ProtoReader message) throws FormatException {
        ProtoReader fields = message.again();
        String operator = "";
        String domain = "";
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 4 -> operator = message.string("op_type");
                case 7 -> domain = message.string("domain");
                default -> message.skip();
            }
        }
        boolean standard = domain.isEmpty() || domain.equals("ai.onnx");
        boolean known = standard && STANDARD.contains(operator)
                || domain.equals(CONTRIBUTED_DOMAIN) && CONTRIBUTED.contains(operator)
                || domain.equals(CONTRIBUTED_DOMAIN) && operator.endsWith("QuantizeLinear") && STANDARD.contains(operator);
        return known ? read(fields, operator) : null;
    }

    private static OnnxNode read(ProtoReader message, String operator) throws FormatException {
        List<String> inputs = new ArrayList<>();
        Map<String, Attribute> attributes = Map.of();
        String name = "";
        String output = null;
        String module = "";
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> inputs.add(message.string("input"));
                case 2 -> {
                    String result = message.string("output");
                    output = output == null ? result : output;
                }
                case 3 -> {
                    if (isNamed(operator)) {
                        name = message.string("name");
                    } else {
                        message.skip();
                    }
                }
                case 5 -> {
                    attributes = attributes.isEmpty() ? new HashMap<>() : attributes;
                    readAttribute(message.message("attribute"), attributes);
                }
                case 9 -> module = module(message.message("metadata_props"), module);
                default -> message.skip();
            }
        }
        return new OnnxNode(operator, name, inputs, output == null ? "" : output, module, attributes);
    }

    /** Whether a name is of use; a start spends milliseconds with the names of all nodes. */
    private static boolean isNamed(String operator) {
        return operator.contains("MatMul") || operator.contains("Gemm") || operator.contains("Gather")
                || operator.contains("Attention");
    }

    private static void readAttribute(ProtoReader message, Map<String, Attribute> attributes) throws FormatException {
        String name = "";
        float number = 0;
        long integer = 0;
        List<Long> integers = new ArrayList<>();
        ProtoReader tensor = null;
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> name = message.string("name");
                case 2 -> number = Float.intBitsToFloat(message.fixed32("f"));
                case 3 -> integer = message.varint("i");
                case 5 -> tensor = message.message("t");
                case 8 -> readIntegers(message, integers);
                default -> message.skip();
            }
        }
        attributes.put(name, new Attribute(number, integer, integers, tensor));
    }

    private static void readIntegers(ProtoReader message, List<Long> integers) throws FormatException {
        if (!message.isBytes()) {
            integers.add(message.varint("ints"));
            return;
        }
        for (ProtoReader packed = message.message("ints"); packed.hasMore();) {
            integers.add(packed.packedVarint("ints"));
        }
    }

    /** Of {@code ['', 'layers.0', 'layers.0.mlp.Wi', 'linear']} the one before the operation. */
    private static String module(ProtoReader property, String before) throws FormatException {
        ProtoReader again = property.again();
        boolean scopes = false;
        for (int field = property.next(); field != 0; field = property.next()) {
            if (field == 1) {
                scopes = property.string("key").equals(SCOPES);
            } else {
                property.skip();
            }
        }
        if (!scopes) {
            return before;
        }
        for (int field = again.next(); field != 0; field = again.next()) {
            if (field == 2) {
                String[] list = again.string("value").split("'");
                String operation = list.length < 4 ? "" : list[list.length - 2];
                return operation.startsWith("linear") || operation.startsWith("embedding") ? list[list.length - 4] : before;
            }
            again.skip();
        }
        return before;
    }

    /** The input at an index, or an empty text where it is absent. */
    String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    float number(String attribute, float absent) {
        Attribute found = attributes.get(attribute);
        return found == null ? absent : found.number;
    }

    long integer(String attribute, long absent) {
        Attribute found = attributes.get(attribute);
        return found == null ? absent : found.integer;
    }

    /**
     * The module that the node is of, such as {@code encoder.layer.0.output.dense}: as the node's name has it, of which
     * exporters make {@code /encoder/layer.0/output/dense/MatMul}, or as its metadata say; or null.
     */
    String scope() {
        int end = name.lastIndexOf('/');
        int begin = name.indexOf('/');
        if (begin < 0 || end == begin) {
            return module.isEmpty() ? null : module;
        }
        if (name.endsWith("/MatMulAddFusion") || name.endsWith("/MatMulAddFusion/")) {
            end = name.lastIndexOf('/', name.lastIndexOf("/MatMulAddFusion") - 1);
        }
        return end <= begin ? null : name.substring(begin + 1, end).replace('/', '.');
    }

    /** Its name and operator, for messages. */
    @Override
    public String toString() {
        return "node '" + (name.isEmpty() ? output : name) + "' (" + operator + ")";
    }
}
