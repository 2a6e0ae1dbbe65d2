/**
 * Tensors: off-heap memory with a {@linkplain dev.fovea.tensor.DType type} and a {@linkplain dev.fovea.tensor.Shape
 * shape}.
 */
package dev.fovea.tensor;
