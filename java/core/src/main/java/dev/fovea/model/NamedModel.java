package dev.fovea.model;

import dev.fovea.ops.Pooling;

/**
 * A model that has a name.
 *
 * @param name such as {@code all-minilm-l6-v2}
 * @param dimension components of a vector
 * @param maxTokens tokens that it takes, special tokens included
 * @param pooling how token vectors become one; all named models normalise the result to length 1
 * @param licence SPDX identifier of the weights' licence
 * @param artifact Maven coordinates, {@code group:artifact:version}, of the jar that carries it
 * @param onnxSha256 of the weights in that jar, in lower-case hex
 * @param tokenizerSha256 of the tokenizer in that jar, in lower-case hex
 * @param revision 12 hex digits that stand for all that the model consists of
 */
public record NamedModel(String name, int dimension, int maxTokens, Pooling pooling, String licence, String artifact,
        String onnxSha256, String tokenizerSha256, String revision) {}
