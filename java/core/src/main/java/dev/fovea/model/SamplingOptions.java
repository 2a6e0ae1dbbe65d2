package dev.fovea.model;

import java.util.List;
import java.util.Map;

/**
 * How a language model writes. Immutable; each {@code with…} gives a copy. What is done to the logits of the next token,
 * in this order: bias, penalties, temperature, top-k, top-p, min-p, typical; then one of the tokens that are left is drawn
 * by its probability among them.
 *
 * @param maxTokens how many tokens are written at most
 * @param temperature what logits are divided by; 0 takes the likeliest token, always
 * @param topK how many of the likeliest tokens are left; 0 for all
 * @param topP the likeliest tokens are left whose probabilities sum to this; 1 for all: Holtzman et al., arXiv:1904.09751
 * @param minP tokens are left that are at least this times as probable as the likeliest; 0 for all: Nguyen et al.,
 *     arXiv:2407.01082
 * @param typicalP the tokens are left whose information is nearest to the expected one, until their probabilities sum to
 *     this; 1 for all: Meister et al., arXiv:2202.00666
 * @param repetitionPenalty what positive logits of tokens of the prompt and of the answer are divided by and negative ones
 *     multiplied by; 1 for none: Keskar et al., arXiv:1909.05858
 * @param presencePenalty what is subtracted from the logits of tokens of the answer
 * @param frequencyPenalty what is subtracted from them for each time that they are there
 * @param logitBias what is added to the logits of tokens, by their ids; −∞ keeps one from being written
 * @param stops texts that end the answer, which does not have them
 * @param seed of the numbers that tokens are drawn by: the same seed gives the same text
 * @param logProbabilities whether the result has those of its tokens
 * @param ignoresEnd whether it goes on behind the token that ends a text
 * @param format what the answer must look like; null if that is free. Tokens that it does not allow are never written,
 *     whatever their logits
 * @param alternatives how many of the likeliest tokens of each place the result has, 0 to {@value #MOST_ALTERNATIVES}
 */
public record SamplingOptions(int maxTokens, float temperature, int topK, float topP, float minP, float typicalP,
        float repetitionPenalty, float presencePenalty, float frequencyPenalty, Map<Integer, Float> logitBias,
        List<String> stops, long seed, boolean logProbabilities, boolean ignoresEnd, OutputFormat format, int alternatives) {
    /** The most alternatives of a token. */
    public static final int MOST_ALTERNATIVES = 64;

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException naming the value
     */
    public SamplingOptions {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens must be at least 1, got " + maxTokens);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top_k must be at least 1, or 0 for all, got " + topK);
        }
        requireWithin("temperature", temperature, 0, Float.MAX_VALUE);
        requireWithin("top_p", topP, Float.MIN_VALUE, 1);
        requireWithin("min_p", minP, 0, 1);
        requireWithin("typical_p", typicalP, Float.MIN_VALUE, 1);
        requireWithin("repetition_penalty", repetitionPenalty, Float.MIN_VALUE, Float.MAX_VALUE);
        requireWithin("presence_penalty", presencePenalty, -Float.MAX_VALUE, Float.MAX_VALUE);
        requireWithin("frequency_penalty", frequencyPenalty, -Float.MAX_VALUE, Float.MAX_VALUE);
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> {
            if (id < 0 || bias.isNaN() || bias == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("logit_bias must be of ids from 0 on, finite or -Infinity, got " + bias
                        + " of id " + id);
            }
        });
        stops = List.copyOf(stops);
        if (stops.contains("")) {
            throw new IllegalArgumentException("stop texts must not be empty, got \"\"");
        }
        if (alternatives < 0 || alternatives > MOST_ALTERNATIVES) {
            throw new IllegalArgumentException("alternatives must be 0 to " + MOST_ALTERNATIVES + ", got " + alternatives);
        }
        if (format != null && ignoresEnd) {
            throw new IllegalArgumentException("an answer of a format ends where the format does, got ignores_end true");
        }
    }

    /** The likeliest token each time, at most 256. */
    public static SamplingOptions greedy() {
        return new SamplingOptions(256, 0, 0, 1, 0, 1, 1, 0, 0, Map.of(), List.of(), 0, false, false, null, 0);
    }

    /** Tokens drawn by their probabilities at this temperature, at most 256. */
    public static SamplingOptions sampling(float temperature, long seed) {
        return greedy().withTemperature(temperature).withSeed(seed);
    }

    /** A copy that writes at most this many tokens. */
    public SamplingOptions withMaxTokens(int maxTokens) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy with another temperature; 0 takes the likeliest token. */
    public SamplingOptions withTemperature(float temperature) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that draws from the likeliest tokens. */
    public SamplingOptions withTopK(int topK) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that draws from the likeliest tokens of this probability. */
    public SamplingOptions withTopP(float topP) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that draws from tokens not much less probable than the likeliest. */
    public SamplingOptions withMinP(float minP) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that draws from tokens of the expected information. */
    public SamplingOptions withTypicalP(float typicalP) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy with other penalties. */
    public SamplingOptions withPenalties(float repetition, float presence, float frequency) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetition, presence, frequency,
                logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy with other biases. */
    public SamplingOptions withLogitBias(Map<Integer, Float> logitBias) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that ends with other texts. */
    public SamplingOptions withStops(String... stops) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, List.of(stops), seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy with another seed. */
    public SamplingOptions withSeed(long seed) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy whose results have the log probabilities of tokens, or not. */
    public SamplingOptions withLogProbabilities(boolean logProbabilities) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy that goes on behind the token that ends a text, or not. */
    public SamplingOptions withIgnoresEnd(boolean ignoresEnd) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy whose answers look like this; null for any. */
    public SamplingOptions withFormat(OutputFormat format) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    /** A copy whose results have so many of the tokens that were likeliest in each place. */
    public SamplingOptions withAlternatives(int alternatives) {
        return new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty,
                frequencyPenalty, logitBias, stops, seed, logProbabilities, ignoresEnd, format, alternatives);
    }

    private static void requireWithin(String name, float value, float least, float most) {
        if (!(value >= least && value <= most)) {
            String from = least == Float.MIN_VALUE ? "above 0 and " : least == 0 ? "at least 0 and " : "";
            throw new IllegalArgumentException(name + " must be " + from
                    + (most == Float.MAX_VALUE ? "finite" : "at most " + (int) most) + ", got " + value);
        }
    }
}
