package dev.fovea.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes linear layers that share one input into one product, such as query, key and value: their weights lie
 * one after the other, and who reads one of the results reads a column range of the product.
 *
 * <p>Layers that add a residual stay alone, as do outputs of the graph, whose rows are promised to be dense.
 */
final class SharedInputFusion {
    /** What layers must have in common to become one product. */
    private record Key(Value x, Activation activation) {}

    private SharedInputFusion() {}

    static List<Stage> fuse(List<Stage> stages, List<Value> outputs) {
        List<Stage> fused = new ArrayList<>();
        Map<Key, Integer> positions = new HashMap<>();
        for (Stage stage : stages) {
            if (stage instanceof Stage.Product product && isMergeable(product, outputs)) {
                var key = new Key(product.x(), product.activation());
                Integer first = positions.putIfAbsent(key, fused.size());
                if (first != null) {
                    fused.set(first, ((Stage.Product) fused.get(first)).merged(product));
                    continue;
                }
            }
            fused.add(stage);
        }
        return fused;
    }

    private static boolean isMergeable(Stage.Product product, List<Value> outputs) {
        return product.residual() == null && !outputs.contains(product.output());
    }
}
