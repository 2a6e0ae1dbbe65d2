/**
 * What computes: {@link dev.fovea.Engine}, its {@linkplain dev.fovea.EngineOptions options} and its
 * {@linkplain dev.fovea.Backend backends}.
 *
 * <p>To turn texts into vectors, begin with {@link dev.fovea.model.TextEncoder}, which makes an engine by itself.
 */
package dev.fovea;
