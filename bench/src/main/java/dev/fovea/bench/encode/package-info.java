/**
 * Token ids to vectors: the sides that load all-MiniLM-L6-v2 (throughput and load use them too), the batches of prose,
 * and their suite.
 */
package dev.fovea.bench.encode;
