package dev.fovea.server.models;

import dev.fovea.model.EncoderInput;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * What texts of a request may be.
 *
 * @param maxClientBatch how many there may be
 * @param truncates whether those of too many tokens are cut where the request does not say so
 */
public record TextRules(int maxClientBatch, boolean truncates) {
    /** Refuses none and too many. */
    public void checkCount(int count, String field) {
        if (count == 0) {
            throw new ApiException(Kind.EMPTY, field + " must have at least 1 text, got 0", field);
        }
        if (count > maxClientBatch) {
            throw new ApiException(Kind.TOO_MANY, field + " may have at most " + maxClientBatch + " texts, got " + count, field);
        }
    }

    /** Refuses texts without a character, and none and too many of them. */
    public void check(List<String> texts, String field) {
        checkCount(texts.size(), field);
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).isEmpty()) {
                throw new ApiException(Kind.EMPTY, name(field, i, texts.size()) + " must not be empty", field);
            }
        }
    }

    /**
     * What a model reads of texts.
     *
     * @param reader makes a text what the model reads
     * @param truncates whether texts of too many tokens are cut, not refused
     * @param maxTokens of the model, for errors
     */
    public static <T, R> List<EncoderInput<R>> read(List<T> texts, Function<T, EncoderInput<R>> reader, boolean truncates,
            int maxTokens, String field) {
        List<EncoderInput<R>> inputs = new ArrayList<>(texts.size());
        for (T text : texts) {
            EncoderInput<R> input;
            try {
                input = reader.apply(text);
            } catch (IllegalArgumentException e) {
                throw new ApiException(Kind.TOKENS, name(field, inputs.size(), texts.size()) + ": " + e.getMessage(), field);
            }
            if (input.truncated() && !truncates) {
                throw new ApiException(Kind.TOO_LONG, name(field, inputs.size(), texts.size()) + " has more than the "
                        + maxTokens + " tokens that the model reads", field);
            }
            inputs.add(input);
        }
        return inputs;
    }

    private static String name(String field, int index, int count) {
        return count == 1 ? field : field + '[' + index + ']';
    }
}
