/**
 * What comes after embedding: how close two vectors are ({@link dev.fovea.vectors.VectorPair}), and which of many are
 * closest ({@link dev.fovea.vectors.VectorSearch}). Vectors are floats, bytes or bits, as a text encoder and its
 * quantizer give them.
 */
package dev.fovea.vectors;
