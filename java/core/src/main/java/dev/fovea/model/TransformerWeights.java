package dev.fovea.model;

import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.TransformerConfig.Positions;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** The weights that a {@link TransformerConfig} demands: their names, their shapes, random ones. */
final class TransformerWeights {
    private final TransformerConfig config;
    private final Map<String, Shape> shapes = new LinkedHashMap<>();

    private TransformerWeights(TransformerConfig config) {
        this.config = config;
        shapes.put("embedding.weight", Shape.of(config.vocabulary(), config.dModel()));
        if (config.architecture().hasEncoder()) {
            stack("encoder", false);
        }
        if (config.architecture().hasDecoder()) {
            stack("decoder", config.architecture().hasEncoder());
            if (!config.tiedEmbeddings()) {
                shapes.put("output.weight", Shape.of(config.vocabulary(), config.dModel()));
            }
        }
    }

    /** The shapes of all weights, by name. */
    static Map<String, Shape> shapes(TransformerConfig config) {
        return new TransformerWeights(config).shapes;
    }

    /**
     * Normally distributed weights that keep the size of what passes through them, the same for the same seed.
     *
     * @param arena takes them
     */
    static Map<String, Tensor> random(TransformerConfig config, long seed, Arena arena) {
        var random = new Random(seed);
        Map<String, Tensor> weights = new LinkedHashMap<>();
        shapes(config).forEach((name, shape) -> weights.put(name, random(random, name, shape, arena)));
        return weights;
    }

    private static Tensor random(Random random, String name, Shape shape, Arena arena) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, shape);
        boolean gamma = name.endsWith("norm.weight");
        double deviation = shape.rank() == 1 ? 0.1 : 1 / Math.sqrt(shape.size(1));
        for (long i = 0; i < shape.elements(); i++) {
            double value = random.nextGaussian() * deviation + (gamma ? 1 : 0);
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
        }
        return tensor;
    }

    /**
     * Checks that all weights are there, in their shapes.
     *
     * @throws IllegalArgumentException naming the weight and both shapes
     */
    static void requireAll(TransformerConfig config, Map<String, Tensor> weights) {
        shapes(config).forEach((name, shape) -> {
            Tensor tensor = weights.get(name);
            if (tensor == null) {
                throw new IllegalArgumentException("expected a weight " + name + ' ' + shape + ", got none; there are "
                        + weights.keySet().stream().sorted().toList());
            }
            if (!tensor.shape().equals(shape) || tensor.dtype() != DType.F32) {
                throw new IllegalArgumentException("expected weight " + name + " F32" + shape + " by the config, got "
                        + tensor.dtype() + tensor.shape());
            }
        });
        for (String name : weights.keySet()) {
            if (!shapes(config).containsKey(name)) {
                throw new IllegalArgumentException("expected no weight " + name + " by the config, got "
                        + weights.get(name).dtype() + weights.get(name).shape());
            }
        }
    }

    private void stack(String stack, boolean cross) {
        if (config.positions() == Positions.LEARNED) {
            shapes.put(stack + ".positions.weight", Shape.of(config.maxTokens(), config.dModel()));
        }
        for (int i = 0; i < config.layers(); i++) {
            String layer = stack + ".layers." + i;
            attention(layer + ".attention");
            if (cross) {
                attention(layer + ".cross_attention");
            }
            String feedForward = layer + ".feed_forward";
            if (config.feedForward() == FeedForward.SWIGLU) {
                linear(feedForward + ".gate", config.dFf(), config.dModel());
            }
            linear(feedForward + ".up", config.dFf(), config.dModel());
            linear(feedForward + ".down", config.dModel(), config.dFf());
            norm(feedForward + ".norm");
        }
        if (config.finalNorm()) {
            norm(stack + ".norm");
        }
    }

    private void attention(String name) {
        int keyValue = config.kvHeads() * config.headDim();
        linear(name + ".query", config.dModel(), config.dModel());
        linear(name + ".key", keyValue, config.dModel());
        linear(name + ".value", keyValue, config.dModel());
        linear(name + ".output", config.dModel(), config.dModel());
        norm(name + ".norm");
    }

    private void linear(String name, int outputs, int inputs) {
        shapes.put(name + ".weight", Shape.of(outputs, inputs));
        if (config.biases()) {
            shapes.put(name + ".bias", Shape.of(outputs));
        }
    }

    private void norm(String name) {
        shapes.put(name + ".weight", Shape.of(config.dModel()));
        if (config.norm() == Norm.LAYER_NORM) {
            shapes.put(name + ".bias", Shape.of(config.dModel()));
        }
    }
}
