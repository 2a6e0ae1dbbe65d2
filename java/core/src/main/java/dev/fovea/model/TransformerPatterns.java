package dev.fovea.model;

/**
 * What a {@link Transformer}'s tokens attend to. Immutable.
 *
 * @param encoder source tokens to source tokens; null without an encoder
 * @param decoder target tokens to those before them and themselves; null without a decoder
 * @param cross target tokens to source tokens; null unless there are both
 */
public record TransformerPatterns(AttentionPattern encoder, AttentionPattern decoder, AttentionPattern cross) {}
