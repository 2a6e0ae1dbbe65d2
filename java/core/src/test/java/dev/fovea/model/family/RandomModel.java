package dev.fovea.model.family;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Random weights of a stack, by their plain names. */
record RandomModel(Description description, String stack, Map<String, Tensor> weights) {
    static RandomModel of(Description description, String stack, long seed, Arena arena) {
        var random = new Random(seed);
        Map<String, Tensor> weights = new LinkedHashMap<>();
        WeightShapes.<RuntimeException>visit(description, (part, layer, bias, shape) -> {
            Tensor tensor = Tensor.allocate(arena, DType.F32, shape);
            double deviation = shape.rank() == 1 ? 0.1 : 1 / Math.sqrt(shape.size(1));
            boolean gamma = part.name().endsWith("NORM") && !bias && !description.norms().gammaFromOne();
            for (long i = 0; i < shape.elements(); i++) {
                double value = random.nextGaussian() * deviation + (gamma ? 1 : 0);
                tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
            }
            weights.put(WeightNames.plain(stack).candidates(part, layer, bias).getFirst(), tensor);
        });
        return new RandomModel(description, stack, weights);
    }

    /** As a builder takes them. */
    ModelWeights modelWeights() {
        return ModelWeights.of(description, WeightNames.plain(stack), name -> Weight.of(weights.get(name)));
    }

    ReferenceModel reference() {
        return new ReferenceModel(description, weights, stack);
    }
}
