/**
 * The report of a run: one page of HTML with its plots inside, the plots as SVG files, and the tables in Markdown, all
 * from the {@link dev.fovea.bench.run.JobRecord records} of its jobs.
 */
package dev.fovea.bench.report;
