/**
 * Arithmetic on the JDK's Vector API, for the sides that use it. Loading a class of this package needs {@code
 * --add-modules jdk.incubator.vector}.
 */
package dev.fovea.bench.vector;
