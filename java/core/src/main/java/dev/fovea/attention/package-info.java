/**
 * Fused attention as an op of its own.
 *
 * <p>An {@link dev.fovea.ops.AttentionSpec} describes what to compute, and {@link
 * dev.fovea.attention.AttentionTensors} holds the inputs and outputs. {@link dev.fovea.attention.Attention} computes
 * it. {@link dev.fovea.attention.KvCache} keeps the keys and values of sequences that get longer.
 */
package dev.fovea.attention;
