/** The attention suite: softmax(q kᵀ / √head_dim) v, from textbook loops to fused kernels. */
package dev.fovea.bench.attention;
