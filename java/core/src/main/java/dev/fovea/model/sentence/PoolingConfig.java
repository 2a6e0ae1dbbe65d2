package dev.fovea.model.sentence;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The config of a Pooling module.
 *
 * @param modes at least one, in the order of their results
 * @param includePrompt whether the tokens of a prompt are pooled as well
 */
record PoolingConfig(List<PoolingMode> modes, boolean includePrompt) {
    /** What a model without modules has. */
    static final PoolingConfig MEAN = new PoolingConfig(List.of(PoolingMode.MEAN), true);

    static PoolingConfig read(JsonFile json, int width) throws FormatException {
        Set<String> known = new HashSet<>(
                Set.of("word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt"));
        for (PoolingMode mode : PoolingMode.values()) {
            known.add(mode.flag());
        }
        json.requireKnown(known);
        for (String field : List.of("word_embedding_dimension", "embedding_dimension")) {
            if (json.integer(field, 1, width) != width) {
                throw json.wrong(field, "the hidden_size " + width + " of config.json");
            }
        }
        List<PoolingMode> modes = json.has("pooling_mode") ? named(json) : flagged(json);
        if ((long) modes.size() * width > Integer.MAX_VALUE) {
            throw new FormatException(json.file(), -1, "pooling_mode", "expected vectors of less than 2^31 components, got "
                    + modes.size() + " modes of " + width);
        }
        boolean includePrompt = json.bool("include_prompt", true);
        if (!includePrompt && modes.contains(PoolingMode.CLS)) {
            // Some versions of sentence-transformers take the first token, some the first behind the prompt.
            throw json.wrong("include_prompt", "true, where the pooling is cls");
        }
        return new PoolingConfig(modes, includePrompt);
    }

    /** By one name or several, whose order counts. */
    private static List<PoolingMode> named(JsonFile json) throws FormatException {
        List<PoolingMode> modes = new ArrayList<>();
        for (String word : json.stringOrStrings("pooling_mode")) {
            modes.add(PoolingMode.of(word).orElseThrow(
                    () -> json.wrong("pooling_mode", "any of " + String.join(", ", PoolingMode.words()))));
        }
        if (modes.isEmpty()) {
            throw json.wrong("pooling_mode", "at least one of " + String.join(", ", PoolingMode.words()));
        }
        return List.copyOf(modes);
    }

    /** By one flag per mode, as older files have it; the mean if none of them is there. */
    private static List<PoolingMode> flagged(JsonFile json) throws FormatException {
        List<PoolingMode> modes = new ArrayList<>();
        boolean any = false;
        for (PoolingMode mode : PoolingMode.values()) {
            any |= json.has(mode.flag());
            if (json.bool(mode.flag(), false)) {
                modes.add(mode);
            }
        }
        if (any && modes.isEmpty()) {
            throw new FormatException(json.file(), -1, "pooling_mode",
                    "expected at least one of " + String.join(", ", PoolingMode.words()) + ", got none");
        }
        return modes.isEmpty() ? MEAN.modes : List.copyOf(modes);
    }
}
