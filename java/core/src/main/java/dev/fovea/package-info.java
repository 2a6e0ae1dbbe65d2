/**
 * The part that computes: {@link dev.fovea.Engine}, its {@linkplain dev.fovea.EngineOptions options} and its
 * {@linkplain dev.fovea.Backend backends}.
 *
 * <p>To turn texts into vectors, start with {@link dev.fovea.model.TextEncoder}, which creates its own engine.
 */
package dev.fovea;
