/**
 * Latency under open-loop load: arrivals that wait for nobody, callers that serve them, and what was seen.
 */
package dev.fovea.bench.load;
