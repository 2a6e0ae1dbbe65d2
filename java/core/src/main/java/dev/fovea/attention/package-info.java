/**
 * Fused attention as an op of its own: an {@link dev.fovea.attention.AttentionSpec} says what is computed, {@link
 * dev.fovea.attention.AttentionTensors} on what, {@link dev.fovea.attention.Attention} computes it, and {@link
 * dev.fovea.attention.KvCache} keeps the keys and values of sequences that grow.
 */
package dev.fovea.attention;
