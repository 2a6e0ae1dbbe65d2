package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/**
 * The layers of a language model as an encoder: Qwen3-Embedding, Zhang et al., arXiv:2506.05176; E5-Mistral, Wang et al.,
 * arXiv:2401.00368; EmbeddingGemma, arXiv:2509.20354. Tokens see those before them, unless the configuration says that
 * they see all.
 *
 * @param family of the language model
 */
record DecoderStack(DecoderFamily family) implements EncoderFamily {
    @Override
    public Description describe(JsonFile json) throws FormatException {
        DecoderFields.refuseEncoders(json);
        if (RopeFields.of(json, 1).type().equals("longrope")) {
            // transformers chooses its factors anew for each batch: a text's vector would depend on company.
            throw json.wrong(json.has("rope_scaling") ? "rope_scaling" : "rope_parameters", "another type than longrope");
        }
        Description description = family.describe(json, family.positions(json)).withHead(new Head.Hidden());
        if (json.bool("is_causal", true)) {
            return description;
        }
        for (Mask mask : description.attention().masks()) {
            if (!mask.equals(Mask.causal()) && !mask.equals(Mask.none())) {
                throw json.wrong("is_causal", "true, of a model with windows");
            }
        }
        return description.withAttention(description.attention().withMasks(Mask.none()));
    }

    /**
     * Whether the matrix of its logits is that of the embeddings.
     *
     * @throws FormatException if its logits are bounded
     */
    boolean isTied(JsonFile json) throws FormatException {
        var head = (Head.NextToken) family.describe(json, family.positions(json)).head();
        if (head.softcap() > 0) {
            throw json.wrong("final_logit_softcapping", "null, where two logits are compared");
        }
        return head.tied();
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return family.names(config);
    }

    @Override
    public List<String> prefixes() {
        return family.prefixes();
    }

    /** That of the last token, as transformers' classes for sequence classification have it. */
    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return new NamedHead(new Head.Scores(Head.Reading.LAST, null, labels, false, false), Map.of(Part.HEAD_OUTPUT, "score"),
                null);
    }

    @Override
    public NamedHead tagger(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.TOKENS, labels, "score");
    }
}
