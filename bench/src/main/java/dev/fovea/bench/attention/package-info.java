/** The attention suite: softmax(q kᵀ / √head_dim) v, from loops as in a textbook to fused kernels. */
package dev.fovea.bench.attention;
