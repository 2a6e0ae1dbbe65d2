package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/**
 * The encoders of BERT, Devlin et al., arXiv:1810.04805, and of RoBERTa, Liu et al., arXiv:1907.11692, with XLM-R and
 * CamemBERT: what differs is the first position, what an absent field means, and the heads.
 */
final class BertFamily implements EncoderFamily {
    static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embeddings.word_embeddings"),
            Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
            Map.entry(Part.TOKEN_TYPES, "embeddings.token_type_embeddings"),
            Map.entry(Part.EMBEDDING_NORM, "embeddings.LayerNorm"),
            Map.entry(Part.QUERY, "encoder.layer.#.attention.self.query"),
            Map.entry(Part.KEY, "encoder.layer.#.attention.self.key"),
            Map.entry(Part.VALUE, "encoder.layer.#.attention.self.value"),
            Map.entry(Part.ATTENTION_OUTPUT, "encoder.layer.#.attention.output.dense"),
            Map.entry(Part.ATTENTION_NORM, "encoder.layer.#.attention.output.LayerNorm"),
            Map.entry(Part.UP, "encoder.layer.#.intermediate.dense"),
            Map.entry(Part.DOWN, "encoder.layer.#.output.dense"),
            Map.entry(Part.FEED_FORWARD_NORM, "encoder.layer.#.output.LayerNorm")))
            .withEndings(".gamma", ".beta"); // as the first checkpoints call those of norms

    @Override
    public Description describe(JsonFile json) throws FormatException {
        boolean roberta = !json.string("model_type").equals("bert");
        json.require("position_embedding_type", "absolute");
        json.require("is_decoder", false);
        int rows = json.integer("max_position_embeddings", 1);
        var positions = roberta ? EncoderFields.behindPadding(json, rows) : new Positions.Learned(rows, 0);
        return encoder(json, rows - positions.first())
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 1, roberta ? 1 : 2)))
                .withPositions(positions)
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", roberta ? 1e-5f : 1e-12f)));
    }

    /** Sizes by the field names of BERT, which most families keep; the rest as {@link Description#of} has it. */
    static Description encoder(JsonFile json, int maxTokens) throws FormatException {
        int vocabulary = json.integer("vocab_size", 1);
        int hidden = json.integer("hidden_size", 1);
        int layers = json.integer("num_hidden_layers", 1);
        var attention = EncoderFields.attention(json, "hidden_size", "num_attention_heads");
        var feedForward = new FeedForward(json.integer("intermediate_size", 1),
                EncoderFields.activation(json, "hidden_act", "gelu"), false, true);
        return Description.of(vocabulary, hidden, layers, maxTokens, attention, feedForward);
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "bert.", "roberta.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix)
            throws FormatException {
        boolean roberta = !config.string("model_type").equals("bert");
        return roberta
                ? NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, "classifier.dense", labels,
                        "classifier.out_proj")
                : NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, prefix + "pooler.dense", labels,
                        "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) throws FormatException {
        boolean roberta = !config.string("model_type").equals("bert");
        return roberta
                ? NamedHead.words(encoder, Activation.GELU_ERF, "lm_head.dense", "lm_head.layer_norm", "lm_head.bias")
                : NamedHead.words(encoder, encoder.feedForward().activation(), "cls.predictions.transform.dense",
                        "cls.predictions.transform.LayerNorm", "cls.predictions.bias");
    }
}
