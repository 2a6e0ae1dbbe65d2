/**
 * The engine of {@code ./fovea bench}. It selects {@link dev.fovea.bench.run.Suites suites}, runs the jobs of a {@link
 * dev.fovea.bench.run.Schedule}, and stores each result as JSON, from which {@link dev.fovea.bench.report} makes the
 * report.
 */
package dev.fovea.bench.run;
