package dev.fovea.model;

import static dev.fovea.model.NamedModel.Task.EMBEDDING;
import static dev.fovea.model.NamedModel.Task.RERANKER;
import static dev.fovea.model.NamedModel.Task.SPARSE;

import dev.fovea.ops.Pooling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Public models that have a name, and no artifact: their directories have to be brought. */
final class PublicModels {
    private static final Map<String, String> SEARCHED =
            Map.of("query", "Represent this sentence for searching relevant passages: ");
    private static final Map<String, String> E5 = ordered("query", "query: ", "passage", "passage: ");

    /** What precedes queries of language models. */
    private static final String TASK =
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\n";

    private static final Map<String, String> NOMIC = ordered("search_query", "search_query: ", "search_document",
            "search_document: ", "clustering", "clustering: ", "classification", "classification: ");

    static final List<NamedModel> ALL = List.of(
            embedder("sentence-transformers/all-MiniLM-L12-v2", "BERT", 384, 128, Pooling.MEAN, Map.of(), "en", "Apache-2.0"),
            embedder("sentence-transformers/all-mpnet-base-v2", "MPNet", 768, 384, Pooling.MEAN, Map.of(), "en", "Apache-2.0"),
            embedder("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "BERT", 384, 128, Pooling.MEAN, Map.of(),
                    "multilingual", "Apache-2.0"),
            embedder("BAAI/bge-base-en-v1.5", "BERT", 768, 512, Pooling.CLS, SEARCHED, "en", "MIT"),
            embedder("BAAI/bge-large-en-v1.5", "BERT", 1024, 512, Pooling.CLS, SEARCHED, "en", "MIT"),
            embedder("BAAI/bge-m3", "XLM-RoBERTa", 1024, 8192, Pooling.CLS, Map.of(), "multilingual", "MIT"),
            embedder("intfloat/e5-base-v2", "BERT", 768, 512, Pooling.MEAN, E5, "en", "MIT"),
            embedder("intfloat/multilingual-e5-small", "BERT", 384, 512, Pooling.MEAN, E5, "multilingual", "MIT"),
            embedder("intfloat/multilingual-e5-base", "XLM-RoBERTa", 768, 512, Pooling.MEAN, E5, "multilingual", "MIT"),
            embedder("intfloat/multilingual-e5-large", "XLM-RoBERTa", 1024, 512, Pooling.MEAN, E5, "multilingual", "MIT"),
            embedder("thenlper/gte-small", "BERT", 384, 512, Pooling.MEAN, Map.of(), "en", "MIT"),
            embedder("Alibaba-NLP/gte-base-en-v1.5", "mGTE", 768, 8192, Pooling.CLS, Map.of(), "en", "Apache-2.0"),
            embedder("nomic-ai/nomic-embed-text-v1.5", "NomicBERT", 768, 8192, Pooling.MEAN, NOMIC, "en", "Apache-2.0"),
            embedder("jinaai/jina-embeddings-v2-base-en", "JinaBERT v2", 768, 8192, Pooling.MEAN, Map.of(), "en", "Apache-2.0"),
            embedder("Snowflake/snowflake-arctic-embed-m", "BERT", 768, 512, Pooling.CLS, SEARCHED, "en", "Apache-2.0"),
            embedder("mixedbread-ai/mxbai-embed-large-v1", "BERT", 1024, 512, Pooling.CLS, SEARCHED, "en", "Apache-2.0"),
            embedder("Qwen/Qwen3-Embedding-0.6B", "Qwen 3", 1024, 32768, Pooling.LAST, Map.of("query", TASK + "Query:"),
                    "multilingual", "Apache-2.0"),
            embedder("intfloat/e5-mistral-7b-instruct", "Mistral", 4096, 4096, Pooling.LAST,
                    Map.of("web_search_query", TASK + "Query: "), "en", "MIT"),
            embedder("google/embeddinggemma-300m", "Gemma 3", 768, 2048, Pooling.MEAN,
                    ordered("query", "task: search result | query: ", "document", "title: none | text: "), "multilingual",
                    "Gemma"),
            new NamedModel("Qwen/Qwen3-Reranker-0.6B", RERANKER, "Qwen 3", 0, 40960, null, Map.of(), "multilingual",
                    "Apache-2.0", null),
            new NamedModel("cross-encoder/ms-marco-MiniLM-L-6-v2", RERANKER, "BERT", 0, 512, null, Map.of(), "en",
                    "Apache-2.0", null),
            new NamedModel("BAAI/bge-reranker-base", RERANKER, "XLM-RoBERTa", 0, 512, null, Map.of(), "en, zh", "MIT", null),
            new NamedModel("naver/splade-cocondenser-ensembledistil", SPARSE, "BERT", 30522, 0, null, Map.of(), "en",
                    "CC-BY-NC-SA-4.0", null));

    private PublicModels() {}

    private static NamedModel embedder(String publishedAs, String family, int dimension, int maxTokens, Pooling pooling,
            Map<String, String> prompts, String languages, String licence) {
        return new NamedModel(publishedAs, EMBEDDING, family, dimension, maxTokens, pooling, prompts, languages, licence,
                null);
    }

    private static Map<String, String> ordered(String... namesAndTexts) {
        Map<String, String> prompts = new LinkedHashMap<>();
        for (int i = 0; i < namesAndTexts.length; i += 2) {
            prompts.put(namesAndTexts[i], namesAndTexts[i + 1]);
        }
        return prompts;
    }
}
