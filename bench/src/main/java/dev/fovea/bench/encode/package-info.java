/**
 * Token ids to vectors: the sides that load all-MiniLM-L6-v2 (which throughput and load use as well), the batches of
 * prose, and their suite.
 */
package dev.fovea.bench.encode;
