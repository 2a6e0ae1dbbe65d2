package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.List;

/** What a checkpoint of a family of language models is: its settings as a description, and the names of its weights. */
interface DecoderFamily {
    /**
     * Reads a configuration.
     *
     * @param context tokens of the longest sequence, by which some models choose how they turn queries and keys
     * @return a description whose head is {@link Head.NextToken}
     * @throws FormatException if a value makes no sense or is not supported; naming file, field and value
     */
    Description describe(JsonFile config, int context) throws FormatException;

    /** The tokens that it was trained for. */
    default int positions(JsonFile config) throws FormatException {
        return config.integer("max_position_embeddings", 1);
    }

    /** The tokens of the longest sequence that it reads. */
    default int longest(JsonFile config) throws FormatException {
        return positions(config);
    }

    /** The names of its weights, without a prefix; that of the output matrix never has one. */
    WeightNames names(JsonFile config) throws FormatException;

    /** What may stand before the names. */
    default List<String> prefixes() {
        return List.of("model.", "");
    }

    /** The part of a configuration that is about text, which models of images too have in a field of their own. */
    default JsonFile text(JsonFile config) throws FormatException {
        return config;
    }
}
