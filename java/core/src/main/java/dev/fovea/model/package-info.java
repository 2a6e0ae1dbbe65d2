/**
 * Models: what turns a text into a vector.
 *
 * <p>{@link dev.fovea.model.TextEncoder} is the way in. A model is a directory in the Hugging Face layout, or a
 * name of {@link dev.fovea.model.ModelCatalog} that stands for one. Nothing here downloads anything.
 */
package dev.fovea.model;
