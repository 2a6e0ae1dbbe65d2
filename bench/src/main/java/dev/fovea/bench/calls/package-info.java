/** The calls suite: what it costs to cross from Java to C and back, and to hand over floats. */
package dev.fovea.bench.calls;
