/** The routes of Text Embeddings Inference. */
package dev.fovea.server.tei;
