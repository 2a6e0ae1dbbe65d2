/**
 * Fovea's models behind the interfaces of LangChain4j, in process: {@link dev.fovea.langchain4j.FoveaEmbeddingModel}, {@link
 * dev.fovea.langchain4j.FoveaScoringModel}, {@link dev.fovea.langchain4j.FoveaChatModel} and {@link
 * dev.fovea.langchain4j.FoveaStreamingChatModel}.
 */
package dev.fovea.langchain4j;
