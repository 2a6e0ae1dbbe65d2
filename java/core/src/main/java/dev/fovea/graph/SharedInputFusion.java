package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.WeightStorage;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes linear layers that share one input into one product, such as query, key and value: their weights lie
 * one after the other, and who reads one of the results reads a column range of the product.
 *
 * <p>Layers whose weights are kept in different layouts stay apart. Layers that add a residual stay alone, as do outputs of the graph, whose rows are promised to be dense.
 */
final class SharedInputFusion {
    private SharedInputFusion() {}

    static List<Stage> fuse(List<Stage> stages, List<Value> outputs, WeightStorage weights) {
        List<Stage> fused = new ArrayList<>();
        Map<Activation, Map<Value, Integer>> positions = new EnumMap<>(Activation.class);
        for (Stage stage : stages) {
            if (stage instanceof Stage.Product product && isMergeable(product, outputs)) {
                Integer first = positions.computeIfAbsent(product.activation(), _ -> new HashMap<>())
                        .putIfAbsent(product.x(), fused.size());
                if (first != null && fits((Stage.Product) fused.get(first), product, weights)) {
                    fused.set(first, ((Stage.Product) fused.get(first)).merged(product));
                    continue;
                }
            }
            fused.add(stage);
        }
        return fused;
    }

    private static boolean fits(Stage.Product first, Stage.Product other, WeightStorage weights) {
        return kept(first, weights) == kept(other, weights) && (long) first.columns() + other.columns() <= Integer.MAX_VALUE;
    }

    private static Layout kept(Stage.Product product, WeightStorage weights) {
        return weights.of(product.parts().getFirst().weight());
    }

    private static boolean isMergeable(Stage.Product product, List<Value> outputs) {
        return product.residual() == null && !outputs.contains(product.output());
    }
}
