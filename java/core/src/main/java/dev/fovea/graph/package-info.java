/**
 * Models as graphs of operations.
 *
 * <p>A {@link dev.fovea.graph.Graph} describes what is computed from which weights. A {@link dev.fovea.graph.Plan} is a
 * graph compiled for an engine, with its operations fused. A {@link dev.fovea.graph.Session} runs a plan. It has its
 * own memory, planned beforehand, and serves one thread at a time.
 */
package dev.fovea.graph;
