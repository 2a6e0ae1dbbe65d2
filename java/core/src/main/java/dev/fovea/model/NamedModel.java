package dev.fovea.model;

import dev.fovea.ops.Pooling;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * A model that has a name.
 *
 * @param publishedAs organisation and name on the Hugging Face Hub, such as {@code sentence-transformers/all-MiniLM-L6-v2}
 * @param task what it is for
 * @param family of encoders, as {@code docs/models.md} calls it
 * @param dimension components of a vector; 0 for a reranker, which has none
 * @param maxTokens tokens that it takes, special tokens included; 0 where that is left to the directory
 * @param pooling how token vectors become one; null if it is no model of text vectors
 * @param prompts what its authors put before texts, by purpose; empty if nothing
 * @param languages ISO 639 codes, or {@code multilingual}
 * @param licence SPDX identifier of the weights' licence
 * @param artifact the jar that carries it; null if its directory has to be brought
 */
public record NamedModel(String publishedAs, Task task, String family, int dimension, int maxTokens, Pooling pooling,
        Map<String, String> prompts, String languages, String licence, Artifact artifact) {
    /** What a model is for, and what loads it. */
    public enum Task {
        /** A vector per text: {@link TextEncoder}. */
        EMBEDDING,
        /** A score per query and document: {@link Reranker}. */
        RERANKER,
        /** Weights of terms: {@link SparseEncoder}. */
        SPARSE
    }

    /**
     * A jar that carries a model. Fovea reads the jar alone: a build that names it should exclude all that it depends on,
     * {@link #EXCLUSION}, which is another engine of a hundred megabytes.
     *
     * @param coordinates of Maven: {@code group:artifact:version}
     * @param onnxSha256 of the weights in that jar, in lower-case hex
     * @param tokenizerSha256 of the tokenizer in that jar, in lower-case hex
     * @param revision 12 hex digits that stand for all that the model consists of
     */
    public record Artifact(String coordinates, String onnxSha256, String tokenizerSha256, String revision) {
        /** What to exclude of a carrier's dependencies, as {@code group:artifact}: all. */
        public static final String EXCLUSION = "*:*";
    }

    /** A model whose prompts cannot be changed. */
    public NamedModel {
        Objects.requireNonNull(publishedAs, "publishedAs");
        prompts = Collections.unmodifiableMap(new LinkedHashMap<>(prompts));
    }

    /** Such as {@code all-minilm-l6-v2}: as published, in lower case and without the organisation. */
    public String name() {
        return publishedAs.substring(publishedAs.indexOf('/') + 1).toLowerCase(Locale.ROOT);
    }

    /** Whether a jar carries it; the directory of any other has to be brought. */
    public boolean hasArtifact() {
        return artifact != null;
    }

    /** Where its directory can be had. */
    public String address() {
        return "https://huggingface.co/" + publishedAs;
    }

    /** What is known of it, for people: names and values, in the order in which to show them. */
    public Map<String, String> properties() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("name", name());
        properties.put("published", address());
        properties.put("task", task.name().toLowerCase(Locale.ROOT));
        properties.put("family", family);
        properties.put("dimensions", dimension == 0 ? "none" : Integer.toString(dimension));
        properties.put("limit", maxTokens == 0 ? "its directory says" : maxTokens + " tokens");
        properties.put("pooling", pooling == null ? "none" : pooling.name().toLowerCase(Locale.ROOT));
        properties.put("prompts", prompts.isEmpty() ? "none" : prompts.entrySet().stream()
                .map(prompt -> prompt.getKey() + " = \"" + prompt.getValue() + '"').collect(Collectors.joining(", ")));
        properties.put("languages", languages);
        properties.put("licence", licence);
        if (artifact != null) {
            properties.put("artifact", artifact.coordinates() + ", without what it depends on: exclude " + Artifact.EXCLUSION);
        }
        return properties;
    }
}
