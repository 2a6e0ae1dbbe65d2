package dev.fovea.vectors;

/**
 * A vector that was found.
 *
 * @param row its index
 * @param score its similarity to the query; the larger, the closer
 */
public record Neighbor(int row, float score) {}
