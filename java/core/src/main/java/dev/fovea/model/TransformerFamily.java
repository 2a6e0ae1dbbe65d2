package dev.fovea.model;

import dev.fovea.graph.Graph;
import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.family.Norms;
import dev.fovea.model.family.Positions;
import dev.fovea.model.family.WeightNames;
import dev.fovea.model.family.WeightShapes;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** The family of {@link Transformer}: its config as descriptions, its names, its weights. */
final class TransformerFamily {
    private static final WeightNames ENCODER = WeightNames.plain("encoder");
    private static final WeightNames DECODER = WeightNames.plain("decoder");

    private static final double ROPE_THETA = 10_000;

    private TransformerFamily() {}

    /** The encoder of a config that has one. */
    static Description encoder(TransformerConfig config) {
        return stack(config, Mask.none());
    }

    /** The decoder of a config that has one. */
    static Description decoder(TransformerConfig config) {
        return stack(config, Mask.causal())
                .withCrossAttention(config.architecture().hasEncoder())
                .withHead(new Head.NextToken(config.tiedEmbeddings(), 0));
    }

    private static Description stack(TransformerConfig config, Mask mask) {
        var attention = Attention.of(config.heads(), config.headDim()).withKvHeads(config.kvHeads())
                .withBiases(config.biases(), config.biases()).withMasks(mask);
        var feedForward = new Description.FeedForward(config.dFf(), config.feedForward().activation(),
                config.feedForward() == FeedForward.SWIGLU, config.biases());
        return Description.of(config.vocabulary(), config.dModel(), config.layers(), config.maxTokens(), attention,
                        feedForward)
                .withEmbedding(new Description.Embedding(config.embeddingScale(), 0))
                .withPositions(positions(config))
                .withNorms(norms(config));
    }

    private static Positions positions(TransformerConfig config) {
        return switch (config.positions()) {
            case SINUSOIDAL -> new Positions.Sinusoidal();
            case LEARNED -> new Positions.Learned(config.maxTokens(), 0);
            case ROPE -> Positions.Rotary.of(ROPE_THETA, config.headDim());
            case ALIBI -> new Positions.LinearBias();
            case NONE -> new Positions.None();
        };
    }

    private static Norms norms(TransformerConfig config) {
        boolean layerNorm = config.norm() == Norm.LAYER_NORM;
        return new Norms(layerNorm ? Norms.Kind.LAYER : Norms.Kind.RMS,
                config.normFirst() ? Norms.Place.BEFORE : Norms.Place.AFTER, config.epsilon(), layerNorm, false, false,
                config.finalNorm());
    }

    /** The shapes of all weights, by name. */
    static Map<String, Shape> shapes(TransformerConfig config) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        if (config.architecture().hasEncoder()) {
            addShapes(shapes, encoder(config), ENCODER);
        }
        if (config.architecture().hasDecoder()) {
            addShapes(shapes, decoder(config), DECODER);
        }
        return shapes;
    }

    private static void addShapes(Map<String, Shape> shapes, Description stack, WeightNames names) {
        WeightShapes.<RuntimeException>visit(stack, (part, layer, bias, shape) ->
                shapes.put(names.candidates(part, layer, bias).getFirst(), shape));
    }

    /** The encoder's graph, of weights that {@link #requireAll} has checked; a decoder attends to it if there is one. */
    static Graph encoderGraph(TransformerConfig config, Map<String, Tensor> weights) {
        Description stack = encoder(config);
        if (!config.architecture().hasDecoder()) {
            return ModelGraph.encoder(stack, weights(stack, ENCODER, weights));
        }
        Description decoder = decoder(config);
        return ModelGraph.encoder(stack, weights(stack, ENCODER, weights), decoder,
                weights(decoder, DECODER, weights));
    }

    /** The decoder's graph, likewise. */
    static Graph decoderGraph(TransformerConfig config, Map<String, Tensor> weights) {
        Description stack = decoder(config);
        return ModelGraph.decoder(stack, weights(stack, DECODER, weights));
    }

    private static ModelWeights weights(Description stack, WeightNames names, Map<String, Tensor> checked) {
        return ModelWeights.of(stack, names, name -> Weight.of(checked.get(name)));
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
        Map<String, Shape> shapes = shapes(config);
        shapes.forEach((name, shape) -> {
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
            if (!shapes.containsKey(name)) {
                throw new IllegalArgumentException("expected no weight " + name + " by the config, got "
                        + weights.get(name).dtype() + weights.get(name).shape());
            }
        }
    }
}
