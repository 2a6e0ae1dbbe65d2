/** Language models: Fovea and llama.cpp on the same GGUF files, of real shapes and random weights. */
package dev.fovea.bench.decode;
