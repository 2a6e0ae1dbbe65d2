/**
 * Arithmetic on the JDK's Vector API, for sides that use it: whatever loads a class of this package needs {@code
 * --add-modules jdk.incubator.vector}.
 */
package dev.fovea.bench.vector;
