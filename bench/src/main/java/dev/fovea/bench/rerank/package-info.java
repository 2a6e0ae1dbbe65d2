/** Passages ranked by a cross-encoder: its two files, the sides that read them, and their suite. */
package dev.fovea.bench.rerank;
