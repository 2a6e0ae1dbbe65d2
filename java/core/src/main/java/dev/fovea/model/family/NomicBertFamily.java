package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Rope;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** NomicBERT, Nussbaum et al., arXiv:2402.01613: BERT with RoPE and gated feed-forward networks, as its own code has it. */
final class NomicBertFamily implements EncoderFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
                    Map.entry(Part.WORDS, "embeddings.word_embeddings"),
                    Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
                    Map.entry(Part.TOKEN_TYPES, "embeddings.token_type_embeddings"),
                    Map.entry(Part.EMBEDDING_NORM, "emb_ln"),
                    Map.entry(Part.ATTENTION_OUTPUT, "encoder.layers.#.attn.out_proj"),
                    Map.entry(Part.ATTENTION_NORM, "encoder.layers.#.norm1"),
                    Map.entry(Part.DOWN, "encoder.layers.#.mlp.fc2"),
                    Map.entry(Part.FEED_FORWARD_NORM, "encoder.layers.#.norm2")))
            .withFused("encoder.layers.#.attn.Wqkv", Part.QUERY, Part.KEY, Part.VALUE);

    @Override
    public Description describe(JsonFile json) throws FormatException {
        json.require("prenorm", false);
        json.require("use_rms_norm", false);
        json.require("parallel_block", false);
        json.require("causal", false);
        EncoderFields.requireAbsent(json, "rotary_emb_scale_base");
        if (json.integer("num_experts", 0, 0) > 0) {
            throw json.wrong("num_experts", "0");
        }
        boolean bias = json.bool("qkv_proj_bias", true);
        var attention = EncoderFields.attention(json, "n_embd", "n_head").withBiases(bias, bias);
        boolean gated = gated(json);
        var feedForward = new FeedForward(json.integer("n_inner", 1), activation(json), gated,
                json.bool("mlp_fc1_bias", true), json.bool("mlp_fc2_bias", true));
        int maxTokens = json.integer("n_positions", 1);
        if (json.has("rotary_scaling_factor")) { // what is longer would change the frequencies of all its tokens
            maxTokens = Math.min(maxTokens, json.integer("max_trained_positions", 1, 2048));
        }
        return Description.of(json.integer("vocab_size", 1), json.integer("n_embd", 1), json.integer("n_layer", 1),
                        maxTokens, attention, feedForward)
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 0, 2)))
                .withPositions(positions(json, maxTokens, attention.headDim()))
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_epsilon", 1e-12f)));
    }

    private static Positions positions(JsonFile json, int rows, int headDim) throws FormatException {
        float fraction = json.positive("rotary_emb_fraction", 0);
        int dim = (int) (headDim * fraction);
        if (dim == 0) {
            return new Positions.Learned(rows, 0);
        }
        if (dim > headDim || dim % 2 != 0) {
            throw json.wrong("rotary_emb_fraction", "a part of head_dim " + headDim + " of an even number of elements");
        }
        var pairing = json.bool("rotary_emb_interleaved", false) ? Rope.Layout.INTERLEAVED : Rope.Layout.HALF;
        return new Positions.Rotary(json.positive("rotary_emb_base", 10_000), dim, pairing, new RopeScaling.None());
    }

    private static boolean gated(JsonFile json) throws FormatException {
        return List.of("swiglu", "geglu").contains(json.string("activation_function", "gelu"));
    }

    private static Activation activation(JsonFile json) throws FormatException {
        return switch (json.string("activation_function", "gelu")) {
            case "swiglu" -> Activation.SILU;
            case "geglu" -> Activation.GELU_ERF;
            default -> EncoderFields.activation(json, "activation_function", "gelu");
        };
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return gated(config)
                ? NAMES.with(Map.of(Part.UP, "encoder.layers.#.mlp.fc11", Part.GATE, "encoder.layers.#.mlp.fc12"))
                : NAMES.with(Map.of(Part.UP, "encoder.layers.#.mlp.fc1"));
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "bert.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, prefix + "pooler.dense", labels,
                "classifier");
    }
}
