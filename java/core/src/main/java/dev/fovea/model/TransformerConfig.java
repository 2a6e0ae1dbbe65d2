package dev.fovea.model;

import dev.fovea.ops.Activation;
import dev.fovea.tensor.Shape;
import java.util.Map;
import java.util.Objects;

/**
 * What a {@link Transformer} is made of. Immutable; each {@code with…} gives a copy.
 *
 * <p>{@link #base} is that of "Attention Is All You Need": Vaswani et al., arXiv:1706.03762, table 3, and {@code with…}
 * says what later ones do otherwise.
 *
 * @param architecture which stacks there are
 * @param vocabulary token ids are below it
 * @param layers of each stack
 * @param dModel elements of a token's vector
 * @param heads query heads, which divide {@code dModel}
 * @param kvHeads key/value heads, which divide {@code heads}: as many (MHA), fewer (GQA) or one (MQA)
 * @param dFf elements between the linear layers of the feed-forward network
 * @param feedForward what is done to them there
 * @param norm how vectors are normalised
 * @param normFirst whether the norm stands before a sub-layer, {@code x + f(norm(x))}, or behind the residual,
 *     {@code norm(x + f(x))}: Xiong et al., arXiv:2002.04745
 * @param finalNorm whether a norm stands behind the last layer of a stack
 * @param epsilon of the norms
 * @param positions how a token's position enters
 * @param maxTokens the longest sequence
 * @param tiedEmbeddings whether the output matrix is the embedding matrix, section 3.4 of the paper
 * @param embeddingScale what embeddings are multiplied by: √d_model in the paper
 * @param biases whether linear layers have them
 */
public record TransformerConfig(Architecture architecture, int vocabulary, int layers, int dModel, int heads,
        int kvHeads, int dFf, FeedForward feedForward, Norm norm, boolean normFirst, boolean finalNorm, float epsilon,
        Positions positions, int maxTokens, boolean tiedEmbeddings, float embeddingScale, boolean biases) {
    /** Which stacks of layers there are. */
    public enum Architecture {
        /** Every token sees every token: vectors of texts. */
        ENCODER,
        /** Every token sees those before it: the next token. */
        DECODER,
        /** A decoder whose layers also attend to what an encoder made of another sequence. */
        ENCODER_DECODER;

        boolean hasEncoder() {
            return this != DECODER;
        }

        boolean hasDecoder() {
            return this != ENCODER;
        }
    }

    /** What stands between the two linear layers of the feed-forward network. */
    public enum FeedForward {
        /** {@code max(0, x W₁) W₂}: the paper, section 3.3. */
        RELU(Activation.RELU),
        /** {@code GELU(x W₁) W₂}: Hendrycks and Gimpel, arXiv:1606.08415. */
        GELU(Activation.GELU_ERF),
        /** {@code (SiLU(x W₁) ⊙ x W₃) W₂}: Shazeer, arXiv:2002.05202. */
        SWIGLU(Activation.SILU);

        private final Activation activation;

        FeedForward(Activation activation) {
            this.activation = activation;
        }

        Activation activation() {
            return activation;
        }
    }

    /** How vectors are normalised. */
    public enum Norm {
        /** To mean 0 and variance 1, scaled and shifted: Ba et al., arXiv:1607.06450. */
        LAYER_NORM,
        /** To mean square 1, scaled: Zhang and Sennrich, arXiv:1910.07467. */
        RMS_NORM
    }

    /** How a token's position enters. */
    public enum Positions {
        /** Sines and cosines are added to embeddings: the paper, section 3.5. */
        SINUSOIDAL,
        /** Learned vectors are added to embeddings: Gehring et al., arXiv:1705.03122. */
        LEARNED,
        /** Queries and keys are turned: Su et al., arXiv:2104.09864. */
        ROPE,
        /** Distance is subtracted from scores: Press et al., arXiv:2108.12409. */
        ALIBI,
        /** Not at all. */
        NONE
    }

    /**
     * Validates the values and their combination.
     *
     * @throws IllegalArgumentException naming the field and both values
     */
    public TransformerConfig {
        Objects.requireNonNull(architecture, "architecture");
        Objects.requireNonNull(feedForward, "feedForward");
        Objects.requireNonNull(norm, "norm");
        Objects.requireNonNull(positions, "positions");
        atLeastOne("vocabulary", vocabulary);
        atLeastOne("layers", layers);
        atLeastOne("d_model", dModel);
        atLeastOne("heads", heads);
        atLeastOne("kv_heads", kvHeads);
        atLeastOne("d_ff", dFf);
        atLeastOne("max_tokens", maxTokens);
        multiple("d_model", dModel, "heads", heads);
        multiple("heads", heads, "kv_heads", kvHeads);
        if (positions == Positions.ROPE && dModel / heads % 2 != 0) {
            throw new IllegalArgumentException("expected an even head_dim for RoPE, got " + dModel / heads
                    + " of d_model " + dModel + " and heads " + heads);
        }
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be finite and not negative, got " + epsilon);
        }
        if (!Float.isFinite(embeddingScale)) {
            throw new IllegalArgumentException("embedding_scale must be finite, got " + embeddingScale);
        }
    }

    /** The paper's base model, 6 layers of 8 heads on 512 elements, for another vocabulary and sequences up to 512. */
    public static TransformerConfig base(Architecture architecture, int vocabulary) {
        return new TransformerConfig(architecture, vocabulary, 6, 512, 8, 8, 2048, FeedForward.RELU, Norm.LAYER_NORM,
                false, false, 1e-5f, Positions.SINUSOIDAL, 512, true, (float) Math.sqrt(512), true);
    }

    /** A copy of other sizes, with as many key/value heads as heads and embeddings scaled by √dModel. */
    public TransformerConfig withSizes(int layers, int dModel, int heads, int dFf) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, heads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, (float) Math.sqrt(dModel), biases);
    }

    /** A copy with fewer key/value heads. */
    public TransformerConfig withKvHeads(int kvHeads) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy with another feed-forward network. */
    public TransformerConfig withFeedForward(FeedForward feedForward) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy with another norm, before sub-layers and behind the last one, or behind sub-layers. */
    public TransformerConfig withNorm(Norm norm, boolean normFirst) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, normFirst, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy with or without a norm behind the last layer. */
    public TransformerConfig withFinalNorm(boolean finalNorm) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy whose norms add another number to the variance. */
    public TransformerConfig withEpsilon(float epsilon) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy with other positions, for sequences of up to {@code maxTokens}. */
    public TransformerConfig withPositions(Positions positions, int maxTokens) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** A copy with embeddings tied or not, and multiplied by a scale. */
    public TransformerConfig withEmbeddings(boolean tied, float scale) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tied, scale, biases);
    }

    /** A copy whose linear layers have biases or not. */
    public TransformerConfig withBiases(boolean biases) {
        return new TransformerConfig(architecture, vocabulary, layers, dModel, heads, kvHeads, dFf, feedForward, norm,
                normFirst, finalNorm, epsilon, positions, maxTokens, tiedEmbeddings, embeddingScale, biases);
    }

    /** Elements of a query, a key or a value of one head. */
    public int headDim() {
        return dModel / heads;
    }

    /** The names and shapes of the weights of a model so made: {@link Transformer} explains them. */
    public Map<String, Shape> weights() {
        return TransformerFamily.shapes(this);
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }

    private static void multiple(String name, int value, String divisorName, int divisor) {
        if (value % divisor != 0) {
            throw new IllegalArgumentException(
                    "expected " + name + " in a multiple of " + divisorName + ' ' + divisor + ", got " + value);
        }
    }
}
