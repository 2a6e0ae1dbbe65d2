package dev.fovea.graph;

import dev.fovea.ops.Activation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The first pass: one stage per op, without the ops that neither an output nor a cache depends on. */
final class Lowering {
    private Lowering() {}

    static List<Stage> lower(Graph graph) {
        Set<Value> needed = new HashSet<>(graph.outputs());
        List<Op> ops = graph.ops();
        for (int i = ops.size() - 1; i >= 0; i--) {
            if (ops.get(i) instanceof Op.Append) {
                needed.add(graph.values().get(i));
            }
            if (needed.contains(graph.values().get(i))) {
                needed.addAll(ops.get(i).inputs());
            }
        }
        List<Stage> stages = new ArrayList<>();
        for (int i = 0; i < ops.size(); i++) {
            Value output = graph.values().get(i);
            if (needed.contains(output)) {
                stages.add(stage(ops.get(i), output));
            }
        }
        return stages;
    }

    private static Stage stage(Op op, Value output) {
        // Each switch over patterns would make a class, which a cold JVM takes milliseconds for.
        if (op instanceof Op.Linear linear) {
            var part = new Stage.Part(linear.weight(), linear.bias(), output);
            return new Stage.Product(linear.x(), List.of(part), Activation.NONE, null);
        }
        return op instanceof Op.Pool pool ? new Stage.Pooled(pool.x(), pool.mode(), false, output)
                : new Stage.Single(op, output);
    }
}
