package dev.fovea.weights;

import dev.fovea.tensor.Tensor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gives the weights of linear layers back the names that an exporter dropped.
 *
 * <p>Exporters transpose such a weight, fold the transposition and call the result
 * {@code onnx::MatMul_885} or the like. The bias keeps its name, so the layer is found through it:
 *
 * <pre>
 *   x ── MatMul(x, W [in, out]) ── Add(·, layer.bias)      W transposed is layer.weight [out, in]
 *   x ── Gemm(x, W, layer.bias)                            the same; with transB, W is layer.weight
 *
 *   q ── MatMulInteger(q, W_quantized, …) ── Cast ── Mul(·, Mul(x_scale, W_scale)) ── Add(·, layer.bias)
 *                                                          the same, where x is quantized to q as it comes
 * </pre>
 */
final class OnnxLinearLayers {
    private static final String BIAS = ".bias";
    private static final String WEIGHT = ".weight";

    private final TensorTable tensors;

    /** The weight of each value: of products, of products of integers, of what these must be multiplied with. */
    private final Map<String, String> products = new HashMap<>();
    private final Map<String, String> integerProducts = new HashMap<>();
    private final Map<String, String> scales = new HashMap<>();
    private final Set<String> named = new HashSet<>();

    private OnnxLinearLayers(TensorTable tensors) {
        this.tensors = tensors;
    }

    /**
     * Renames in {@code tensors}, the initializers of a graph, those that the graph's {@code nodes} use.
     *
     * @param nodes in their order, where each stands behind those that it depends on
     */
    static void name(TensorTable tensors, List<OnnxNode> nodes) {
        OnnxLinearLayers layers = new OnnxLinearLayers(tensors);
        nodes.forEach(layers::follow);
        nodes.forEach(layers::name);
        layers.named.forEach(tensors::remove);
    }

    private void follow(OnnxNode node) {
        List<String> inputs = node.inputs();
        switch (node.operator()) {
            case "MatMul" -> {
                if (inputs.size() == 2) {
                    products.put(node.output(), inputs.get(1));
                }
            }
            case "MatMulInteger" -> {
                String weight = inputs.size() < 2 ? null : OnnxQuantization.weight(inputs.get(1));
                if (weight != null && tensors.isQuantized(weight)) {
                    integerProducts.put(node.output(), weight);
                }
            }
            case "Cast" -> {
                if (inputs.size() == 1 && integerProducts.containsKey(inputs.getFirst())) {
                    integerProducts.put(node.output(), integerProducts.get(inputs.getFirst()));
                }
            }
            case "Mul" -> {
                if (inputs.size() == 2) {
                    followScale(inputs.get(0), inputs.get(1), node.output());
                    followScale(inputs.get(1), inputs.get(0), node.output());
                }
            }
            default -> { }
        }
    }

    private void followScale(String value, String factor, String output) {
        String scaled = OnnxQuantization.scaled(factor);
        if (scaled != null && tensors.isQuantized(scaled)) {
            scales.put(output, scaled);
        }
        String weight = integerProducts.get(value);
        if (weight != null && weight.equals(scales.get(factor))) {
            products.put(output, weight);
        }
    }

    private void name(OnnxNode node) {
        List<String> inputs = node.inputs();
        if (node.operator().equals("Add") && inputs.size() == 2) {
            name(products.get(inputs.get(0)), inputs.get(1), false);
            name(products.get(inputs.get(1)), inputs.get(0), false);
        } else if (node.operator().equals("Gemm") && inputs.size() == 3 && node.plain()) {
            name(inputs.get(1), inputs.get(2), node.transposedWeight());
        }
    }

    private void name(String weight, String bias, boolean outputsFirst) {
        if (weight == null || !bias.endsWith(BIAS)) {
            return;
        }
        String name = bias.substring(0, bias.length() - BIAS.length()) + WEIGHT;
        Tensor stored = tensors.find(weight);
        Tensor bound = tensors.find(bias);
        if (tensors.contains(name) || stored == null || bound == null || stored.rank() != 2 || bound.rank() != 1) {
            return;
        }
        if (stored.size(outputsFirst ? 0 : 1) != bound.size(0)) {
            return;
        }
        if (outputsFirst) {
            tensors.putAlias(name, weight);
        } else {
            tensors.putTransposed(name, weight);
        }
        named.add(weight);
    }
}
