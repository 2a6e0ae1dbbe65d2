/** Startup: time, memory and jars up to the first vector, each side in its own process. */
package dev.fovea.bench.start;
