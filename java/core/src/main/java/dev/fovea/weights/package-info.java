/**
 * Named tensors in files: {@link dev.fovea.weights.Weights} maps safetensors files and the initializers of ONNX models.
 *
 * <p>Files may come from anywhere and are not trusted. A file that violates its format causes a {@link
 * dev.fovea.weights.FormatException} that names file, offset and field.
 */
package dev.fovea.weights;
