package dev.fovea.weights;

import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Gives the weights of linear layers back the names that an exporter or an optimizer dropped, and turns them so that all
 * are [out, in].
 *
 * <p>Exporters transpose such a weight, fold the transposition and call the result {@code onnx::MatMul_885} or the like.
 * The bias keeps its name, so the layer is found through it; without a bias, through the node's own name or metadata:
 *
 * <pre>
 *   x ── MatMul(x, W [in, out]) ── Add(·, layer.bias)      W transposed is layer.weight [out, in]
 *   x ── Gemm(x, W, layer.bias)                            the same; with transB, W is layer.weight
 *   x ── MatMul(x, W) ── BiasGelu(·, layer.bias)           the same, as ONNX Runtime fuses it; so with FastGelu
 *   x ── MatMul(x, W) ── SkipLayerNormalization(·, …, layer.bias)
 *   x ── /a/b/layer/MatMul(x, W)                           W transposed is a.b.layer.weight
 *
 *   x ── Attention(x, W [in, q+k+v], bias) ── MatMul ── Add(·, layer.bias)
 *                                                          W transposed is layer.qkv.weight, bias is layer.qkv.bias
 * </pre>
 */
final class OnnxLinearLayers {
    private static final String BIAS = ".bias";
    private static final String WEIGHT = ".weight";

    private final TensorTable tensors;
    private final OnnxConstants constants;
    private final OnnxQuantization quantization;

    /** What each value is: the product of a layer, the product of its integers, the result of an attention. */
    private final Map<String, Layer> products = new HashMap<>();
    private final Map<String, Layer> integerProducts = new HashMap<>();
    private final Map<String, OnnxNode> attentions = new HashMap<>();
    private final List<Layer> layers = new ArrayList<>();
    private final Set<String> named = new HashSet<>();
    private final List<String> unnamed = new ArrayList<>();

    /** A product with a constant. */
    private static final class Layer {
        private final OnnxNode node;
        /** Null where it is refused. */
        private final String weight;
        private boolean outputsFirst;
        /** By its bias, or else by its node; null if unknown. */
        private String name;

        Layer(OnnxNode node, String weight, boolean outputsFirst) {
            this.node = node;
            this.weight = weight;
            this.outputsFirst = outputsFirst;
        }
    }

    private OnnxLinearLayers(TensorTable tensors, OnnxConstants constants, OnnxQuantization quantization) {
        this.tensors = tensors;
        this.constants = constants;
        this.quantization = quantization;
    }

    /**
     * Renames and turns in the table those of a graph's constants that are weights of linear layers.
     *
     * @return the nodes whose weights have got no name, as messages call them
     */
    static List<String> name(OnnxGraph graph, OnnxConstants constants, OnnxQuantization quantization) {
        OnnxLinearLayers layers = new OnnxLinearLayers(graph.tensors(), constants, quantization);
        for (OnnxNode node : graph.nodes()) {
            layers.follow(node);
        }
        for (OnnxNode node : graph.nodes()) {
            layers.nameByBias(node);
        }
        layers.turn();
        layers.nameByNode();
        for (Layer layer : layers.layers) {
            layers.put(layer);
        }
        layers.nameAttentions();
        layers.nameTables(graph.nodes());
        layers.listUnnamed();
        for (String name : layers.named) {
            graph.tensors().remove(name);
        }
        return layers.unnamed;
    }

    private void follow(OnnxNode node) {
        switch (node.operator()) {
            case "MatMul" -> add(node, node.input(1), false);
            case "Gemm", "FusedGemm", "FusedMatMul", "TransposeMatMul" -> {
                boolean plain = node.number("alpha", 1) == 1 && node.number("beta", 1) == 1
                        && node.integer("transA", 0) == 0 && node.integer("transBatchA", 0) == 0
                        && node.integer("transBatchB", 0) == 0;
                if (plain) {
                    add(node, node.input(1), node.integer("transB", 0) != 0);
                } else if (isMatrix(node.input(1))) {
                    unnamed.add(node + ", which scales or turns its product");
                }
            }
            case "MatMulInteger" -> {
                String weight = quantization.weight(node.input(1));
                if (isMatrix(weight) && tensors.isQuantized(weight)) {
                    integerProducts.put(node.output(), new Layer(node, weight, false));
                }
            }
            case "MatMulIntegerToFloat", "DynamicQuantizeMatMul" -> {
                String weight = quantization.weight(node.input(1));
                if (tensors.isQuantized(weight)) {
                    add(node, weight, false);
                }
            }
            case "MatMulNBits", "MatMulBnb4", "MatMulFpQ4", "QLinearMatMul", "QGemm" -> {
                Layer layer = new Layer(node, null, true);
                products.put(node.output(), layer);
                layers.add(layer);
            }
            case "GatherBlockQuantized" -> {
                if (node.scope() != null) {
                    refuse(node.scope() + WEIGHT, node);
                }
            }
            case "Attention", "QAttention" -> attentions.put(node.output(), node);
            case "Cast", "Identity", "Reshape", "QuantizeLinear", "DynamicQuantizeLinear" -> {
                pass(products, node);
                pass(integerProducts, node);
                pass(attentions, node);
            }
            case "Mul" -> {
                scaled(node, node.input(0));
                scaled(node, node.input(1));
            }
            default -> { }
        }
    }

    private static <T> void pass(Map<String, T> values, OnnxNode node) {
        T value = values.get(node.input(0));
        if (value != null) {
            values.put(node.output(), value);
        }
    }

    private void scaled(OnnxNode node, String value) {
        Layer layer = integerProducts.get(value);
        if (layer != null && quantization.isProduct(node) && products.putIfAbsent(node.output(), layer) == null) {
            layers.add(layer);
        }
    }

    private void add(OnnxNode node, String weight, boolean outputsFirst) {
        if (isMatrix(weight)) {
            Layer layer = new Layer(node, weight, outputsFirst);
            products.put(node.output(), layer);
            layers.add(layer);
        }
    }

    private boolean isMatrix(String name) {
        Tensor tensor = tensors.find(name);
        return tensor != null && tensor.rank() == 2;
    }

    private void nameByBias(OnnxNode node) {
        switch (node.operator()) {
            case "Add" -> {
                name(products.get(node.input(0)), node.input(1));
                name(products.get(node.input(1)), node.input(0));
            }
            case "BiasGelu", "FastGelu" -> name(products.get(node.input(0)), node.input(1));
            case "SkipLayerNormalization" -> nameSkipped(node, node.input(4));
            case "SkipSimplifiedLayerNormalization" -> nameSkipped(node, node.input(3));
            case "Gemm", "FusedGemm" -> name(products.get(node.output()), node.input(2));
            case "MatMulIntegerToFloat" -> name(products.get(node.output()), node.input(6));
            case "DynamicQuantizeMatMul" -> name(products.get(node.output()), node.input(4));
            case "MatMulNBits" -> name(products.get(node.output()), node.input(5));
            default -> { }
        }
    }

    /** One of the two that are added is the layer's product; the other may be that of a layer with a bias of its own. */
    private void nameSkipped(OnnxNode node, String bias) {
        Layer first = products.get(node.input(0));
        Layer second = products.get(node.input(1));
        boolean neither = first == null || first.name != null;
        if (neither || second == null || second.name != null) {
            name(neither ? second : first, bias);
        }
    }

    private void name(Layer layer, String bias) {
        String known = constants.nameWith(BIAS, bias);
        Tensor bound = tensors.find(bias);
        if (layer == null || layer.name != null || known == null || bound == null || bound.rank() != 1) {
            return;
        }
        if (layer.weight == null || outputs(layer) == bound.size(0)) {
            layer.name = known.substring(0, known.length() - BIAS.length());
        }
    }

    private long outputs(Layer layer) {
        return tensors.find(layer.weight).size(layer.outputsFirst ? 0 : 1);
    }

    /**
     * Turns weights that have names of their own but are stored [in, out], as the quantizer does it. Where some layers
     * multiply with the weight as it is and others with the transposed one, it stays.
     */
    private void turn() {
        Map<String, Boolean> turned = new LinkedHashMap<>();
        for (Layer layer : layers) {
            if (layer.weight != null && layer.weight.endsWith(WEIGHT) && !constants.isDerived(layer.weight)) {
                turned.put(layer.weight, !layer.outputsFirst && turned.getOrDefault(layer.weight, true));
            }
        }
        for (String weight : turned.keySet()) {
            if (turned.get(weight)) {
                tensors.putTransposed(weight, weight);
            }
        }
        for (Layer layer : layers) {
            layer.outputsFirst |= layer.weight != null && turned.getOrDefault(layer.weight, false);
        }
    }

    /** Where a bias is missing, or is of several layers: an optimizer makes one of biases that are equal. */
    private void nameByNode() {
        Map<String, Layer> owners = new HashMap<>();
        Set<String> shared = new HashSet<>();
        for (Layer layer : layers) {
            Layer owner = layer.name == null ? null : owners.putIfAbsent(layer.name, layer);
            if (owner != null && !isSame(owner.weight, layer.weight)) {
                shared.add(layer.name);
            }
        }
        for (Layer layer : layers) {
            if (layer.name == null || shared.contains(layer.name)) {
                layer.name = layer.node.scope();
            }
        }
    }

    /** Whether two constants are one tensor, or have the same numbers. */
    private boolean isSame(String name, String other) {
        if (name == null || other == null || name.equals(other)) {
            return Objects.equals(name, other);
        }
        Tensor first = tensors.find(name);
        Tensor second = tensors.find(other);
        return first != null && second != null && first.toString().equals(second.toString())
                && first.segment().mismatch(second.segment()) == -1
                && tensors.hasSameScales(name, other);
    }

    private void put(Layer layer) {
        if (layer.name == null) {
            return;
        }
        String target = layer.name + WEIGHT;
        if (layer.weight == null) {
            refuse(target, layer.node);
            return;
        }
        if (!tensors.contains(target)) {
            put(target, layer.weight, layer.outputsFirst);
            if (!layer.weight.endsWith(WEIGHT)) {
                named.add(layer.weight);
            }
        }
    }

    private void put(String target, String weight, boolean outputsFirst) {
        if (outputsFirst) {
            tensors.putAlias(target, weight);
        } else {
            tensors.putTransposed(target, weight);
        }
    }

    private void refuse(String target, OnnxNode node) {
        if (!tensors.contains(target)) {
            tensors.putUnsupported(target, "blocks of " + node);
        }
    }

    /** Names the fused weights of attentions by the layers that multiply their results. */
    private void nameAttentions() {
        Map<String, String> fused = new HashMap<>();
        Set<OnnxNode> found = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Layer layer : layers) {
            OnnxNode attention = attentions.get(layer.node.input(0));
            String weight = attention == null ? "" : quantization.weight(attention.input(1));
            if (layer.name == null || !isMatrix(weight)) {
                continue;
            }
            String target = layer.name + Weights.FUSED_ATTENTION;
            String before = fused.putIfAbsent(target, weight);
            if (before != null && !isSame(before, weight)) {
                continue;
            }
            put(target + WEIGHT, weight, false);
            String bias = attention.input(2);
            if (tensors.contains(bias)) {
                tensors.putAlias(target + BIAS, bias);
                named.add(bias);
            }
            named.add(weight);
            found.add(attention);
        }
        for (OnnxNode attention : attentions.values()) {
            if (found.add(attention) && isMatrix(quantization.weight(attention.input(1)))) {
                unnamed.add(attention.toString());
            }
        }
    }

    /** A table that is tied to another layer may have that one's name alone. */
    private void nameTables(List<OnnxNode> nodes) {
        for (OnnxNode node : nodes) {
            String table = node.operator().equals("Gather") ? quantization.weight(node.input(0)) : "";
            if (isMatrix(table) && node.scope() != null && !tensors.contains(node.scope() + WEIGHT)) {
                tensors.putAlias(node.scope() + WEIGHT, table);
            }
        }
    }

    private void listUnnamed() {
        for (Layer layer : layers) {
            boolean own = layer.weight != null && constants.nameWith(WEIGHT, layer.weight) != null;
            if (layer.name == null && !own) {
                unnamed.add(layer.node.toString());
            }
        }
    }
}
