/**
 * Many sentences of mixed length: ragged batches against padded ones.
 */
package dev.fovea.bench.throughput;
