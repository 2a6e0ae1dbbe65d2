/**
 * The way to the first vector: time, memory and jars, each side in a process of its own.
 */
package dev.fovea.bench.start;
