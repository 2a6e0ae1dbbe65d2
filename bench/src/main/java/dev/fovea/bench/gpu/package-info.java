/** A model and attention on a GPU, beside the CPU. */
package dev.fovea.bench.gpu;
