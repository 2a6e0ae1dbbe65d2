/**
 * Models as graphs of operations.
 *
 * <p>A {@link dev.fovea.graph.Graph} says what is computed from which weights; a {@link dev.fovea.graph.Plan} is one
 * compiled for an engine, with its operations fused; a {@link dev.fovea.graph.Session} runs a plan in memory of its
 * own, planned beforehand, for one thread at a time.
 */
package dev.fovea.graph;
