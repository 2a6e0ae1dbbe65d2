/** The calls suite: the cost of a call from Java to C and back, and of passing floats. */
package dev.fovea.bench.calls;
