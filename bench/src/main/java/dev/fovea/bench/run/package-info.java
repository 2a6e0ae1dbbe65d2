/**
 * The engine of {@code ./fovea bench}: picks {@link dev.fovea.bench.run.Suites suites}, runs what a {@link
 * dev.fovea.bench.run.Plan} holds, and keeps what each job found as JSON, from which {@link dev.fovea.bench.report}
 * makes the report.
 */
package dev.fovea.bench.run;
