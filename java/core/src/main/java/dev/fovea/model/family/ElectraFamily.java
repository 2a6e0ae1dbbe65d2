package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.Projection;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** ELECTRA, Clark et al., arXiv:2003.10555: BERT, whose small models have narrower embeddings. */
final class ElectraFamily implements EncoderFamily {
    @Override
    public Description describe(JsonFile json) throws FormatException {
        json.require("position_embedding_type", "absolute");
        json.require("is_decoder", false);
        int rows = json.integer("max_position_embeddings", 1);
        Description encoder = BertFamily.encoder(json, rows);
        int narrow = json.integer("embedding_size", 1, 128);
        var projection = narrow == encoder.width() ? null : new Projection(narrow, true, true);
        return encoder.withEmbedding(new Embedding(1, json.integer("type_vocab_size", 1, 2), false, projection))
                .withPositions(new Positions.Learned(rows, 0))
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-12f)));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return BertFamily.NAMES.with(Map.of(Part.EMBEDDING_PROJECTION, "embeddings_project"));
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "electra.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.GELU_ERF, "classifier.dense", labels,
                "classifier.out_proj");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, Activation.GELU_ERF, "generator_predictions.dense",
                "generator_predictions.LayerNorm", "generator_lm_head.bias");
    }
}
