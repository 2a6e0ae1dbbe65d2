package dev.fovea.model.family;

import dev.fovea.tensor.Shape;

/**
 * Which weights a {@link Description} demands, and their shapes.
 *
 * @param <E> what the visitor may throw
 */
public final class WeightShapes<E extends Exception> {
    /**
     * Takes one weight after the other, in the order of the computation.
     *
     * @param <E> what it may throw
     */
    @FunctionalInterface
    public interface Visitor<E extends Exception> {
        /**
         * A weight.
         *
         * @param layer 0 where there is one of its kind only
         * @param bias whether it is the bias beside the part's weight
         */
        void visit(Part part, int layer, boolean bias, Shape shape) throws E;
    }

    private final Description d;
    private final Visitor<E> visitor;
    private final int encoderWidth;

    private WeightShapes(Description description, int encoderWidth, Visitor<E> visitor) {
        this.d = description;
        this.encoderWidth = encoderWidth;
        this.visitor = visitor;
    }

    /** Visits all weights; those of cross-attention read an encoder of the same width. */
    public static <E extends Exception> void visit(Description description, Visitor<E> visitor) throws E {
        visit(description, description.width(), visitor);
    }

    /** Visits all weights of a decoder whose encoder has this width. */
    public static <E extends Exception> void visit(Description description, int encoderWidth, Visitor<E> visitor)
            throws E {
        new WeightShapes<>(description, encoderWidth, visitor).all();
    }

    private void all() throws E {
        weight(Part.WORDS, 0, d.vocabulary(), d.embeddingWidth());
        if (d.positions().learned() instanceof Positions.Learned learned) {
            weight(Part.POSITIONS, 0, learned.rows(), d.embeddingWidth());
        }
        if (d.embedding().tokenTypes() > 0) {
            weight(Part.TOKEN_TYPES, 0, d.embedding().tokenTypes(), d.embeddingWidth());
        }
        Description.Projection projection = d.embedding().projection();
        if (d.norms().afterEmbeddings()) {
            norm(Part.EMBEDDING_NORM, 0, projection != null && projection.afterNorm() ? projection.width() : d.width());
        }
        if (projection != null) {
            linear(Part.EMBEDDING_PROJECTION, 0, d.width(), projection.width(), projection.bias());
        }
        if (d.positions() instanceof Positions.Disentangled distances) {
            weight(Part.DISTANCE_EMBEDDINGS, 0, 2L * distances.span(), d.width());
            if (distances.normed()) {
                norm(Part.DISTANCE_NORM, 0, d.width());
            }
        }
        if (d.positions() instanceof Positions.RelativeBias relative) {
            weight(Part.DISTANCES, 0, relative.buckets(), d.attention().heads());
        }
        for (int layer = 0; layer < d.layers(); layer++) {
            selfAttention(layer);
            if (d.crossAttention()) {
                crossAttention(layer);
            }
            feedForward(layer);
        }
        if (d.norms().afterLast()) {
            norm(Part.FINAL_NORM, 0, d.width());
        }
        if (d.head() instanceof Head.NextToken(boolean tied, _) && !tied) {
            weight(Part.OUTPUT, 0, d.vocabulary(), d.width());
        }
        head();
    }

    private void head() throws E {
        if (d.head() instanceof Head.Scores(_, Head.Dense dense, int outputs, boolean bias, boolean tied)) {
            if (dense != null) {
                linear(Part.HEAD_DENSE, 0, dense.width(), d.width(), dense.bias());
                if (dense.norm()) {
                    norm(Part.HEAD_NORM, 0, dense.width());
                }
            }
            if (!tied) {
                weight(Part.HEAD_OUTPUT, 0, outputs, dense == null ? d.width() : dense.width());
            }
            if (bias) {
                visitor.visit(Part.HEAD_OUTPUT, 0, true, Shape.of(outputs));
            }
        } else if (d.head() instanceof Head.TokenVectors(int width, _, _) && width > 0) {
            weight(Part.HEAD_OUTPUT, 0, width, d.width());
        }
    }

    private void selfAttention(int layer) throws E {
        var attention = d.attention();
        linear(Part.QUERY, layer, queryWidth(), d.width(), attention.inputBias());
        linear(Part.KEY, layer, keyWidth(), d.width(), attention.inputBias());
        linear(Part.VALUE, layer, valueWidth(), d.width(), attention.inputBias());
        if (attention.queryKeyNorm() != Description.QueryKeyNorm.NONE) {
            boolean each = attention.queryKeyNorm() == Description.QueryKeyNorm.EACH_HEAD;
            norm(Part.QUERY_NORM, layer, each ? attention.headDim() : queryWidth());
            norm(Part.KEY_NORM, layer, each ? attention.headDim() : keyWidth());
        }
        linear(Part.ATTENTION_OUTPUT, layer, d.width(), mixedWidth(), attention.outputBias());
        if (d.norms().before(layer)) {
            norms(Part.ATTENTION_NORM, Part.ATTENTION_POST_NORM, layer);
        }
    }

    private void crossAttention(int layer) throws E {
        var attention = d.attention();
        linear(Part.CROSS_QUERY, layer, queryWidth(), d.width(), attention.inputBias());
        linear(Part.CROSS_KEY, layer, keyWidth(), encoderWidth, attention.inputBias());
        linear(Part.CROSS_VALUE, layer, valueWidth(), encoderWidth, attention.inputBias());
        linear(Part.CROSS_OUTPUT, layer, d.width(), mixedWidth(), attention.outputBias());
        norms(Part.CROSS_NORM, Part.CROSS_POST_NORM, layer);
    }

    private void feedForward(int layer) throws E {
        var feedForward = d.feedForward();
        if (feedForward.gated()) {
            linear(Part.GATE, layer, feedForward.width(), d.width(), feedForward.bias());
        }
        linear(Part.UP, layer, feedForward.width(), d.width(), feedForward.bias());
        linear(Part.DOWN, layer, d.width(), feedForward.width(), feedForward.outputBias());
        norms(Part.FEED_FORWARD_NORM, Part.FEED_FORWARD_POST_NORM, layer);
    }

    private void norms(Part first, Part second, int layer) throws E {
        norm(first, layer, d.width());
        if (d.norms().place() == Norms.Place.SANDWICH) {
            norm(second, layer, d.width());
        }
    }

    private void linear(Part part, int layer, long outputs, long inputs, boolean bias) throws E {
        weight(part, layer, outputs, inputs);
        if (bias) {
            visitor.visit(part, layer, true, Shape.of(outputs));
        }
    }

    private void norm(Part part, int layer, long elements) throws E {
        weight(part, layer, elements);
        if (d.norms().bias()) {
            visitor.visit(part, layer, true, Shape.of(elements));
        }
    }

    private void weight(Part part, int layer, long... sizes) throws E {
        visitor.visit(part, layer, false, Shape.of(sizes));
    }

    private long queryWidth() {
        return (long) d.attention().heads() * d.attention().headDim();
    }

    private long keyWidth() {
        return (long) d.attention().kvHeads() * d.attention().headDim();
    }

    private long valueWidth() {
        return (long) d.attention().kvHeads() * d.attention().valueDim();
    }

    private long mixedWidth() {
        return (long) d.attention().heads() * d.attention().valueDim();
    }
}
