/** Fovea over HTTP: the routes of OpenAI and of Text Embeddings Inference, and a page to try models. */
package dev.fovea.server;
