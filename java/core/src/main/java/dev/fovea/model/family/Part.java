package dev.fovea.model.family;

/**
 * A weight of an architecture by its part in the computation: a matrix or a vector, and perhaps a bias beside it.
 *
 * <p>Each has a plain name, that of {@link dev.fovea.model.family.WeightNames#plain}; {@code #} stands for the layer.
 */
public enum Part {
    /** [vocabulary, width]; where the output is tied, the output matrix too. */
    WORDS("embedding"),
    /** [width, embedding width], of embeddings that are narrower. */
    EMBEDDING_PROJECTION("embedding_projection"),
    /** [rows, width], of learned positions. */
    POSITIONS("positions"),
    /** [token types, width]. */
    TOKEN_TYPES("token_types"),
    /** [buckets, heads], what distances add to scores. */
    DISTANCES("distances"),
    /** [2 span, width], vectors of distances. */
    DISTANCE_EMBEDDINGS("distance_embeddings"),
    /** [width], of the norm of these. */
    DISTANCE_NORM("distance_norm"),
    /** [width], with a bias where norms have one, as all norms. */
    EMBEDDING_NORM("embedding_norm"),

    /** [heads · head_dim, width]. */
    QUERY("layers.#.attention.query"),
    /** [kv_heads · head_dim, width]. */
    KEY("layers.#.attention.key"),
    /** [kv_heads · value_dim, width]. */
    VALUE("layers.#.attention.value"),
    /** [heads · head_dim], of a norm over all heads at once; [head_dim] of a norm of each. */
    QUERY_NORM("layers.#.attention.query_norm"),
    /** [kv_heads · head_dim], or [head_dim], likewise. */
    KEY_NORM("layers.#.attention.key_norm"),
    /** [width, heads · value_dim]. */
    ATTENTION_OUTPUT("layers.#.attention.output"),
    /** [width], the norm before or after the sub-layer. */
    ATTENTION_NORM("layers.#.attention.norm"),
    /** [width], the second norm of {@link Norms.Place#SANDWICH}. */
    ATTENTION_POST_NORM("layers.#.attention.post_norm"),

    /** [heads · head_dim, width]: cross-attention has the sizes of the decoder's self-attention. */
    CROSS_QUERY("layers.#.cross_attention.query"),
    /** [kv_heads · head_dim, width of the encoder]. */
    CROSS_KEY("layers.#.cross_attention.key"),
    /** [kv_heads · value_dim, width of the encoder]. */
    CROSS_VALUE("layers.#.cross_attention.value"),
    /** [width, heads · value_dim]. */
    CROSS_OUTPUT("layers.#.cross_attention.output"),
    /** [width]. */
    CROSS_NORM("layers.#.cross_attention.norm"),
    /** [width]. */
    CROSS_POST_NORM("layers.#.cross_attention.post_norm"),

    /** [feed-forward width, width]: what is activated in a gated network. */
    GATE("layers.#.feed_forward.gate"),
    /** [feed-forward width, width]. */
    UP("layers.#.feed_forward.up"),
    /** [width, feed-forward width]. */
    DOWN("layers.#.feed_forward.down"),
    /** [width]. */
    FEED_FORWARD_NORM("layers.#.feed_forward.norm"),
    /** [width]. */
    FEED_FORWARD_POST_NORM("layers.#.feed_forward.post_norm"),

    /** [width], behind the last layer. */
    FINAL_NORM("norm"),
    /** [vocabulary, width], unless tied. */
    OUTPUT("output"),

    /** [dense width, width], of a head's own dense layer. */
    HEAD_DENSE("head.dense"),
    /** [dense width], of the norm behind it. */
    HEAD_NORM("head.norm"),
    /** [outputs, width or dense width], of a head's scores. */
    HEAD_OUTPUT("head.output");

    private final String plainName;

    Part(String plainName) {
        this.plainName = plainName;
    }

    /** Whether every layer has one of its own. */
    boolean isOfLayers() {
        return plainName.contains("#");
    }

    /** Its plain name, {@code #} for the layer. */
    public String plainName() {
        return plainName;
    }
}
