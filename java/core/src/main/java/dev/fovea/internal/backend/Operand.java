package dev.fovea.internal.backend;

import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;

/**
 * Where a step finds or puts a matrix in the memory of an execution: columns of a buffer that holds a row per token or
 * per sequence. Offsets count elements of 4 bytes per row, so that one plan serves any capacity:
 *
 * <pre>
 *   byte 0                              byte 4 · tokenElements · maxTokens
 *   | buffers with a row per token      | buffers with a row per sequence
 *   | each at 4 · offset · maxTokens    | each at 4 · offset · maxSequences past this border
 * </pre>
 *
 * @param rows what a row stands for
 * @param offset elements per row in front of the buffer
 * @param stride elements from one row of the buffer to the next
 * @param firstColumn the column of the buffer that the matrix begins with
 * @param columns of the matrix
 * @param dtype F32, or I32 for indices
 */
public record Operand(Rows rows, long offset, int stride, int firstColumn, int columns, DType dtype) {}
