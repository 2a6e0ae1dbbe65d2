/**
 * Fovea's models behind the interfaces of Spring AI, in process: {@link dev.fovea.springai.FoveaEmbeddingModel} and {@link
 * dev.fovea.springai.FoveaChatModel}, with the framework's observations.
 */
package dev.fovea.springai;
