package dev.fovea.model.generation;

/**
 * How {@link BeamSearch} searches.
 *
 * @param endId the token that ends a target
 * @param maxTokens how many tokens are written at most, the end not counted
 * @param beams hypotheses per source, 1 for greedy search
 * @param lengthPenalty α of {@code log P(Y) / ((5 + |Y|)^α / 6^α)}: Wu et al., arXiv:1609.08144, section 7
 */
public record SearchOptions(int endId, int maxTokens, int beams, double lengthPenalty) {}
