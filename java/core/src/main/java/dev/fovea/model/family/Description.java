package dev.fovea.model.family;

import dev.fovea.model.family.Positions.Learned;
import dev.fovea.model.family.Positions.Rotary;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import java.util.List;
import java.util.Objects;

/**
 * An architecture as data: one stack of Transformer layers, what stands before it and what behind. {@link ModelGraph}
 * makes a graph of it; a family reads one from a checkpoint's configuration. Immutable; each {@code with…} gives a
 * copy.
 *
 * <p>An encoder–decoder is two descriptions, that of the decoder with {@code crossAttention}.
 *
 * @param vocabulary token ids are below it
 * @param width elements of a token's vector
 * @param layers how many there are
 * @param maxTokens the longest sequence
 * @param embedding what is done to the embeddings of tokens
 * @param positions how a token's position enters
 * @param attention of every layer
 * @param crossAttention whether every layer also attends to what an encoder made of another sequence: Vaswani et al.,
 *     arXiv:1706.03762, section 3.2.3
 * @param feedForward of every layer
 * @param norms how vectors are normalised, and where
 * @param head what is made of the last layer's result
 */
public record Description(int vocabulary, int width, int layers, int maxTokens, Embedding embedding,
        Positions positions, Attention attention, boolean crossAttention, FeedForward feedForward, Norms norms,
        Head head) {
    /**
     * What is done to the embeddings of tokens.
     *
     * @param scale their factor: √width in Vaswani et al., arXiv:1706.03762, section 3.4, and in Gemma,
     *     arXiv:2403.08295; 1 elsewhere
     * @param tokenTypes kinds of tokens that have an embedding of their own: 2 in BERT, Devlin et al.,
     *     arXiv:1810.04805; 0 for none
     * @param ofPairs whether every token brings its type, as where texts come in pairs; else all get the first
     * @param projection what makes vectors of the model's width of narrower embeddings, or null
     */
    public record Embedding(float scale, int tokenTypes, boolean ofPairs, Projection projection) {
        /** Checks the values. */
        public Embedding {
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("embedding_scale must be finite, got " + scale);
            }
            atLeast("token_types", tokenTypes, 0);
        }

        /** Of the model's width, whose tokens all have the first type. */
        public Embedding(float scale, int tokenTypes) {
            this(scale, tokenTypes, false, null);
        }

        /** A copy where every token brings its type, or none does. */
        public Embedding withPairs(boolean ofPairs) {
            return new Embedding(scale, tokenTypes, ofPairs, projection);
        }
    }

    /**
     * A linear layer between embeddings and the first layer: the factorised embeddings of ALBERT, arXiv:1909.11942.
     *
     * @param width of embeddings
     * @param bias whether it has one
     * @param afterNorm whether embeddings are normalised before it; else its result is
     */
    public record Projection(int width, boolean bias, boolean afterNorm) {
        /** Checks the width. */
        public Projection {
            atLeast("embedding width", width, 1);
        }
    }

    /** Whether queries and keys are normalised before their product: Dehghani et al., arXiv:2302.05442. */
    public enum QueryKeyNorm {
        /** They are not. */
        NONE,
        /** All heads of a token at once: OLMo 2, arXiv:2501.00656. */
        ALL_HEADS,
        /**
         * Every head for itself: Gemma 3, arXiv:2503.19786; Qwen 3, arXiv:2505.09388. It can be described, but
         * {@link ModelGraph} refuses it: no op of a graph normalises parts of a row.
         */
        EACH_HEAD
    }

    /**
     * Attention in several heads: Vaswani et al., arXiv:1706.03762, section 3.2.
     *
     * @param heads query heads
     * @param kvHeads key and value heads, a divisor of {@code heads}: Ainslie et al., arXiv:2305.13245
     * @param headDim elements of a query or key of one head; width / heads in the paper, free elsewhere
     * @param valueDim elements of a value of one head
     * @param inputBias whether query, key and value matrices have a bias
     * @param outputBias whether the output matrix has one
     * @param queryKeyNorm whether queries and keys are normalised, with the kind and epsilon of the other norms
     * @param scale factor of the dot products, 1 / √headDim in the paper
     * @param softcap bound of the scores, 0 for none: Gemma 2, arXiv:2408.00118
     * @param masks which keys a query sees, for the layers in turn, from the first again when they are fewer than the
     *     layers: none, causal, or windows as in Beltagy et al., arXiv:2004.05150
     */
    public record Attention(int heads, int kvHeads, int headDim, int valueDim, boolean inputBias, boolean outputBias,
            QueryKeyNorm queryKeyNorm, float scale, float softcap, List<Mask> masks) {
        /** Checks the values. */
        public Attention {
            atLeast("heads", heads, 1);
            atLeast("kv_heads", kvHeads, 1);
            atLeast("head_dim", headDim, 1);
            atLeast("value_dim", valueDim, 1);
            if (heads % kvHeads != 0) {
                throw new IllegalArgumentException(
                        "expected heads in a multiple of kv_heads " + kvHeads + ", got " + heads);
            }
            Objects.requireNonNull(queryKeyNorm, "queryKeyNorm");
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("attention scale must be finite, got " + scale);
            }
            requireSoftcap("softcap", softcap);
            masks = List.copyOf(masks);
            if (masks.isEmpty()) {
                throw new IllegalArgumentException("expected at least 1 mask, got 0");
            }
        }

        /** As in the paper's encoder, with biases: every token attends to every token, in all heads. */
        public static Attention of(int heads, int headDim) {
            return new Attention(heads, heads, headDim, headDim, true, true, QueryKeyNorm.NONE,
                    (float) (1 / Math.sqrt(headDim)), 0, List.of(Mask.none()));
        }

        /** A copy with another number of key and value heads. */
        public Attention withKvHeads(int kvHeads) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    masks);
        }

        /** A copy with values of another size. */
        public Attention withValueDim(int valueDim) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    masks);
        }

        /** A copy with or without biases. */
        public Attention withBiases(boolean inputBias, boolean outputBias) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    masks);
        }

        /** A copy with queries and keys normalised or not. */
        public Attention withQueryKeyNorm(QueryKeyNorm queryKeyNorm) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    masks);
        }

        /** A copy with another scale, and with bounded scores unless {@code softcap} is 0. */
        public Attention withScores(float scale, float softcap) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    masks);
        }

        /** A copy with these masks for the layers in turn. */
        public Attention withMasks(Mask... masks) {
            return new Attention(heads, kvHeads, headDim, valueDim, inputBias, outputBias, queryKeyNorm, scale, softcap,
                    List.of(masks));
        }

        /** The mask of a layer. */
        public Mask mask(int layer) {
            return masks.get(layer % masks.size());
        }
    }

    /**
     * The feed-forward network: {@code activation(x Upᵀ) Downᵀ}, Vaswani et al., arXiv:1706.03762, section 3.3; gated,
     * {@code (activation(x Gateᵀ) ⊙ x Upᵀ) Downᵀ}, Shazeer, arXiv:2002.05202.
     *
     * @param width elements between its linear layers
     * @param activation what is done to them
     * @param gated whether it is gated
     * @param bias whether its first linear layers have biases
     * @param outputBias whether its last one has one
     */
    public record FeedForward(int width, Activation activation, boolean gated, boolean bias, boolean outputBias) {
        /** Checks the values. */
        public FeedForward {
            atLeast("feed-forward width", width, 1);
            Objects.requireNonNull(activation, "activation");
        }

        /** With biases in all of its linear layers, or in none. */
        public FeedForward(int width, Activation activation, boolean gated, boolean bias) {
            this(width, activation, gated, bias, bias);
        }
    }

    /**
     * Validates the values and their combination.
     *
     * @throws IllegalArgumentException naming the field and both values
     */
    public Description {
        atLeast("vocabulary", vocabulary, 1);
        atLeast("width", width, 1);
        atLeast("layers", layers, 1);
        atLeast("max_tokens", maxTokens, 1);
        Objects.requireNonNull(embedding, "embedding");
        Objects.requireNonNull(attention, "attention");
        Objects.requireNonNull(feedForward, "feedForward");
        Objects.requireNonNull(norms, "norms");
        Objects.requireNonNull(head, "head");
        requireFit(Objects.requireNonNull(positions, "positions"), maxTokens, attention.headDim());
        if (head instanceof Head.NextToken(boolean tied, _) && tied && embedding.projection() != null) {
            throw new IllegalArgumentException("expected an output matrix of its own with embeddings of width "
                    + embedding.projection().width() + " for " + width + ", got a tied one");
        }
    }

    private static void requireFit(Positions positions, int maxTokens, int headDim) {
        if (positions instanceof Learned(int rows, int first) && maxTokens > rows - first) {
            throw new IllegalArgumentException("expected max_tokens of at most " + (rows - first)
                    + " learned positions, got " + maxTokens);
        }
        if (positions instanceof Positions.RotaryInTurn turns) {
            turns.kinds().forEach(rotary -> requireFit(rotary, maxTokens, headDim));
        }
        if (positions instanceof Rotary rotary && rotary.dim() > headDim) {
            throw new IllegalArgumentException(
                    "expected RoPE on at most head_dim " + headDim + " elements, got " + rotary.dim());
        }
        if (positions instanceof Rotary rotary && rotary.dim() < headDim && rotary.scaling().attentionFactor() != 1) {
            throw new IllegalArgumentException("expected an attention_factor of 1 with RoPE on " + rotary.dim()
                    + " of head_dim " + headDim + " elements, got " + rotary.scaling().attentionFactor());
        }
    }

    /** Embeddings as they are, no positions, layer norms after each residual, the result as it is. */
    public static Description of(int vocabulary, int width, int layers, int maxTokens, Attention attention,
            FeedForward feedForward) {
        return new Description(vocabulary, width, layers, maxTokens, new Embedding(1, 0), new Positions.None(),
                attention, false, feedForward, Norms.of(Norms.Kind.LAYER, Norms.Place.AFTER, 1e-5f), new Head.Hidden());
    }

    /** A copy with other embeddings. */
    public Description withEmbedding(Embedding embedding) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with another number of layers. */
    public Description withLayers(int layers) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy for sequences of other lengths. */
    public Description withMaxTokens(int maxTokens) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with other positions. */
    public Description withPositions(Positions positions) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with another attention. */
    public Description withAttention(Attention attention) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with another feed-forward network. */
    public Description withFeedForward(FeedForward feedForward) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy whose layers attend to an encoder's result too, or not. */
    public Description withCrossAttention(boolean crossAttention) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with other norms. */
    public Description withNorms(Norms norms) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** A copy with another head. */
    public Description withHead(Head head) {
        return new Description(vocabulary, width, layers, maxTokens, embedding, positions, attention, crossAttention,
                feedForward, norms, head);
    }

    /** Elements of the rows of embedding tables. */
    public int embeddingWidth() {
        return embedding.projection() == null ? width : embedding.projection().width();
    }

    static void requireSoftcap(String name, float softcap) {
        if (!(softcap >= 0 && softcap < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + " must be above 0 and finite, or 0 for none, got " + softcap);
        }
    }

    private static void atLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
        }
    }
}
