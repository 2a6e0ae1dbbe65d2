/** Latency under open-loop load: arrivals that do not wait, the callers that serve them, and the recorded latencies. */
package dev.fovea.bench.load;
