/**
 * What operations compute, as pure values: {@linkplain dev.fovea.ops.AttentionSpec attention}, its
 * {@linkplain dev.fovea.ops.Mask masks} and positions ({@link dev.fovea.ops.Rope}, {@link dev.fovea.ops.Alibi}),
 * {@linkplain dev.fovea.ops.Activation activations} and {@linkplain dev.fovea.ops.Pooling pooling}.
 */
package dev.fovea.ops;
