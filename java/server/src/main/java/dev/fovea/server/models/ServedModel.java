package dev.fovea.server.models;

import dev.fovea.model.EncoderQueue;
import dev.fovea.model.Reranker;
import dev.fovea.model.SparseEncoder;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
import java.util.List;

/** A model that is served, by the name that clients know. */
public sealed interface ServedModel extends AutoCloseable {
    /** What clients call it. */
    String name();

    /** What it is for, as {@code /v1/models} says it. */
    String task();

    /** Frees it, once the calls in progress are done. */
    @Override
    void close();

    /** Gives vectors of texts. */
    record Embedder(String name, TextEncoder encoder, EncoderQueue<TextEmbedding> queue) implements ServedModel {
        @Override
        public String task() {
            return "embedding";
        }

        @Override
        public void close() {
            queue.close();
            encoder.close();
        }
    }

    /** Gives scores of a query and documents. */
    record Ranker(String name, Reranker reranker, EncoderQueue<Float> queue) implements ServedModel {
        @Override
        public String task() {
            return "rerank";
        }

        @Override
        public void close() {
            queue.close();
            reranker.close();
        }
    }

    /** Gives labels of texts. */
    record Classifier(String name, TextClassifier classifier, EncoderQueue<List<TextClassifier.Label>> queue)
            implements ServedModel {
        @Override
        public String task() {
            return "classification";
        }

        @Override
        public void close() {
            queue.close();
            classifier.close();
        }
    }

    /** Gives weights of terms. */
    record Terms(String name, SparseEncoder encoder, EncoderQueue<SparseEncoder.SparseVector> queue) implements ServedModel {
        @Override
        public String task() {
            return "sparse";
        }

        @Override
        public void close() {
            queue.close();
            encoder.close();
        }
    }

    /** Writes texts. */
    record Writer(String name, Generator generator) implements ServedModel {
        @Override
        public String task() {
            return "generation";
        }

        @Override
        public void close() {
            generator.close();
        }
    }
}
