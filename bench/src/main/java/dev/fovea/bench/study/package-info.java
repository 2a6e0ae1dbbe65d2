/**
 * The parts of every comparison study. A {@link dev.fovea.bench.study.Suite} names its {@link dev.fovea.bench.study.Job
 * jobs}. Each job measures several sides on the same work, one after the other, and reports {@link
 * dev.fovea.bench.study.Measurement measurements} to its {@link dev.fovea.bench.study.Findings}. The suite also says,
 * by {@link dev.fovea.bench.study.Table} and {@link dev.fovea.bench.study.Figure}, how the report shows them.
 */
package dev.fovea.bench.study;
