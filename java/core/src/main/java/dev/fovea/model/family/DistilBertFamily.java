package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** DistilBERT, Sanh et al., arXiv:1910.01108: BERT without token types, under names of its own. */
final class DistilBertFamily implements EncoderFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embeddings.word_embeddings"),
            Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
            Map.entry(Part.EMBEDDING_NORM, "embeddings.LayerNorm"),
            Map.entry(Part.QUERY, "transformer.layer.#.attention.q_lin"),
            Map.entry(Part.KEY, "transformer.layer.#.attention.k_lin"),
            Map.entry(Part.VALUE, "transformer.layer.#.attention.v_lin"),
            Map.entry(Part.ATTENTION_OUTPUT, "transformer.layer.#.attention.out_lin"),
            Map.entry(Part.ATTENTION_NORM, "transformer.layer.#.sa_layer_norm"),
            Map.entry(Part.UP, "transformer.layer.#.ffn.lin1"),
            Map.entry(Part.DOWN, "transformer.layer.#.ffn.lin2"),
            Map.entry(Part.FEED_FORWARD_NORM, "transformer.layer.#.output_layer_norm")));

    @Override
    public Description describe(JsonFile json) throws FormatException {
        int rows = json.integer("max_position_embeddings", 1, 512);
        var feedForward = new FeedForward(json.integer("hidden_dim", 1),
                EncoderFields.activation(json, "activation", "gelu"), false, true);
        return Description.of(json.integer("vocab_size", 1), json.integer("dim", 1), json.integer("n_layers", 1), rows,
                        EncoderFields.attention(json, "dim", "n_heads"), feedForward)
                .withPositions(new Positions.Learned(rows, 0))
                .withNorms(EncoderFields.bertNorms(1e-12f));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "distilbert.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.RELU, "pre_classifier", labels, "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, encoder.feedForward().activation(), "vocab_transform", "vocab_layer_norm",
                "vocab_projector.bias");
    }
}
