package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.List;

/** What a checkpoint of a family of encoders is: its settings as a description, and the names of its weights. */
interface EncoderFamily {
    /**
     * Reads a configuration.
     *
     * @return a description whose head is {@link Head.Hidden}
     * @throws FormatException if a value makes no sense or is not supported; naming file, field and value
     */
    Description describe(JsonFile config) throws FormatException;

    /** The names of its weights, without a prefix and without those of heads. */
    WeightNames names(JsonFile config) throws FormatException;

    /** What stands before every name: nothing, or the encoder's name within a larger model. */
    List<String> prefixes();

    /**
     * The head that scores sequences, or null if the family has none.
     *
     * @param prefix what stands before the encoder's own names
     */
    default NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix)
            throws FormatException {
        return null;
    }

    /** The head that scores tokens. */
    default NamedHead tagger(JsonFile config, Description encoder, int labels, String prefix) throws FormatException {
        return NamedHead.of(Head.Reading.TOKENS, labels, "classifier");
    }

    /** The head that scores the words of a vocabulary, or null if the family has none. */
    default NamedHead words(JsonFile config, Description encoder, String prefix) throws FormatException {
        return null;
    }
}
