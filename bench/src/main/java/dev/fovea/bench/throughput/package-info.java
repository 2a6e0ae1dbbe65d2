/** Many sentences of mixed length: ragged batches and padded ones. */
package dev.fovea.bench.throughput;
