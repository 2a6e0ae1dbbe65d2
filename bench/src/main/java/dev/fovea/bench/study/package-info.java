/**
 * What every comparison study is made of: a {@link dev.fovea.bench.study.Suite} names its {@link
 * dev.fovea.bench.study.Job jobs}, each of which measures several sides on the same work, one after the other, and
 * hands {@link dev.fovea.bench.study.Measurement measurements} to its {@link dev.fovea.bench.study.Findings}; and it
 * says by {@link dev.fovea.bench.study.Table} and {@link dev.fovea.bench.study.Figure} how the report shows them.
 */
package dev.fovea.bench.study;
