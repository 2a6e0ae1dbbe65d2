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
 * </pre>
 */
final class OnnxLinearLayers {
    private static final String BIAS = ".bias";
    private static final String WEIGHT = ".weight";

    private final TensorTable tensors;
    private final Map<String, String> matMulWeights = new HashMap<>();
    private final Set<String> named = new HashSet<>();

    private OnnxLinearLayers(TensorTable tensors) {
        this.tensors = tensors;
    }

    /** Renames in {@code tensors}, the initializers of a graph, what the graph's {@code nodes} tell about. */
    static void name(TensorTable tensors, List<OnnxNode> nodes) {
        OnnxLinearLayers layers = new OnnxLinearLayers(tensors);
        for (OnnxNode node : nodes) {
            if (node.operator().equals("MatMul") && node.inputs().size() == 2) {
                layers.matMulWeights.put(node.output(), node.inputs().get(1));
            }
        }
        nodes.forEach(layers::name);
        layers.named.forEach(tensors::remove);
    }

    private void name(OnnxNode node) {
        List<String> inputs = node.inputs();
        if (node.operator().equals("Add") && inputs.size() == 2) {
            name(matMulWeights.get(inputs.get(0)), inputs.get(1), false);
            name(matMulWeights.get(inputs.get(1)), inputs.get(0), false);
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
        Tensor layer = outputsFirst ? stored : stored.transpose(0, 1);
        if (layer.size(0) == bound.size(0)) {
            tensors.put(name, layer);
            named.add(weight);
        }
    }
}
