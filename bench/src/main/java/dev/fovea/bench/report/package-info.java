/**
 * The report of a run: one HTML page with its plots inside, the plots as SVG files, and the tables in Markdown. All of
 * it is made from the {@link dev.fovea.bench.run.JobRecord records} of the jobs.
 */
package dev.fovea.bench.report;
