package dev.fovea.graph;

import dev.fovea.ops.Activation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts what follows a kernel into the kernel, where nothing else reads the value between them: an activation
 * and the addition of a residual into a linear layer, normalisation into pooling.
 *
 * <p>A fused stage takes the place of the later one, where all that it reads has been computed.
 */
final class EpilogueFusion {
    private final List<Stage> stages = new ArrayList<>();
    private final Map<Value, Stage> producers = new HashMap<>();
    private final Readers readers;

    private EpilogueFusion(Readers readers) {
        this.readers = readers;
    }

    static List<Stage> fuse(List<Stage> stages, List<Value> outputs) {
        var fusion = new EpilogueFusion(Readers.of(stages, outputs));
        for (Stage stage : stages) {
            fusion.append(stage);
        }
        return fusion.stages;
    }

    private void append(Stage stage) {
        Stage fused = stage instanceof Stage.Single single ? fuse(single) : stage;
        stages.add(fused);
        for (Value output : fused.outputs()) {
            producers.put(output, fused);
        }
    }

    private Stage fuse(Stage.Single stage) {
        // A switch over patterns would make a class, which a cold JVM takes milliseconds for.
        Op op = stage.op();
        if (op instanceof Op.Activate activate) {
            return soleProducer(activate.x()) instanceof Stage.Product product
                            && product.activation() == Activation.NONE
                            && product.residual() == null
                    ? replace(product, product.activated(activate.activation(), stage.output()))
                    : stage;
        }
        if (op instanceof Op.Add add) {
            Stage.Product left = openProduct(add.a());
            Stage.Product right = openProduct(add.b());
            if (right != null && (left == null || right.output().id() > left.output().id())) {
                return replace(right, right.added(add.a(), stage.output()));
            }
            return left != null ? replace(left, left.added(add.b(), stage.output())) : stage;
        }
        return op instanceof Op.Normalize normalize && soleProducer(normalize.x()) instanceof Stage.Pooled pooled
                        && !pooled.normalize()
                ? replace(pooled, new Stage.Pooled(pooled.x(), pooled.mode(), true, stage.output()))
                : stage;
    }

    /** The product that yields {@code value} to one reader only and adds nothing yet, or null. */
    private Stage.Product openProduct(Value value) {
        return soleProducer(value) instanceof Stage.Product product && product.residual() == null ? product : null;
    }

    /** The stage that yields {@code value}, or null if the value has several readers. */
    private Stage soleProducer(Value value) {
        return readers.count(value) == 1 ? producers.get(value) : null;
    }

    private Stage replace(Stage before, Stage after) {
        stages.removeIf(stage -> stage == before);
        return after;
    }
}
