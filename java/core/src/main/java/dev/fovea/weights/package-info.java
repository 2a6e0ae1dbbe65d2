/**
 * Named tensors in files: {@link dev.fovea.weights.Weights} maps safetensors and the initializers of ONNX models.
 *
 * <p>Files come from anywhere. One that is not what its format demands ends in a
 * {@link dev.fovea.weights.FormatException} that names file, offset and field.
 */
package dev.fovea.weights;
