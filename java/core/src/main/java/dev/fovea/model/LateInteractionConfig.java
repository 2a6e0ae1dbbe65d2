package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.sentence.ModuleList;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The settings of a late-interaction model, as PyLate or ColBERT writes them.
 *
 * @param dense the file of the matrix that makes vectors; null if it is among the model's weights
 * @param queryPrefix the token that marks queries
 * @param documentPrefix the token that marks documents
 * @param queryLength tokens of a query, special ones included
 * @param documentLength the most tokens of a document
 * @param expands whether queries are filled up with masks
 * @param hidesMasks whether no token attends to these
 * @param maskToken what they are filled up with
 * @param skipped words of documents that are left out
 */
record LateInteractionConfig(Path dense, String queryPrefix, String documentPrefix, int queryLength, int documentLength,
        boolean expands, boolean hidesMasks, String maskToken, List<String> skipped) {
    /** What the matrix is called. */
    static final String MATRIX = "linear";

    private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    static LateInteractionConfig read(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw ModelFiles.missing(directory);
        }
        Path colbert = directory.resolve("artifact.metadata");
        Path pylate = directory.resolve("config_sentence_transformers.json");
        String mask = mask(directory);
        if (!Files.exists(pylate) && Files.exists(colbert)) {
            JsonFile json = JsonFile.read(colbert);
            json.require("similarity", "cosine");
            return new LateInteractionConfig(null, json.string("query_token_id", "[unused0]"),
                    json.string("doc_token_id", "[unused1]"), json.integer("query_maxlen", 3, 32),
                    json.integer("doc_maxlen", 3, 220), true, !json.bool("attend_to_mask_tokens", false), mask,
                    json.bool("mask_punctuation", true) ? PUNCTUATION.chars().mapToObj(Character::toString).toList()
                            : List.of());
        }
        if (!Files.exists(pylate)) {
            throw new ModelNotFoundException("model directory " + directory
                    + " has none of config_sentence_transformers.json, artifact.metadata");
        }
        JsonFile json = JsonFile.read(pylate);
        json.require("similarity_fn_name", "MaxSim");
        boolean expands = json.bool("do_query_expansion", true);
        return new LateInteractionConfig(dense(directory), json.string("query_prefix", "[Q] "),
                json.string("document_prefix", "[D] "), json.integer("query_length", 3, 32),
                json.integer("document_length", 3, 180), expands,
                expands && !json.bool("attend_to_expansion_tokens", false), mask,
                json.has("skiplist_words") ? json.strings("skiplist_words")
                        : PUNCTUATION.chars().mapToObj(Character::toString).toList());
    }

    private static String mask(Path directory) throws IOException {
        JsonFile json = JsonFile.readIfPresent(directory.resolve("tokenizer_config.json"));
        return json.isObject("mask_token") ? json.object("mask_token").string("content")
                : json.string("mask_token", "[MASK]");
    }

    /** The file of the only Dense among the modules; null if there is none. */
    private static Path dense(Path directory) throws IOException {
        ModuleList modules = ModuleList.ofAny(directory);
        Path found = null;
        for (int i = 0; i < modules.size(); i++) {
            boolean dense = modules.type(i).equals("Dense");
            if (!dense && !modules.type(i).equals("Transformer") || dense && found != null) {
                throw modules.module(i).wrong("type", "a Transformer and one Dense");
            }
            if (dense) {
                requirePlain(modules.config(i));
                found = modules.weights(i);
            }
        }
        return found;
    }

    private static void requirePlain(JsonFile dense) throws FormatException {
        dense.require("bias", false);
        dense.require("use_residual", false);
        if (!dense.string("activation_function", "Identity").endsWith("Identity")) {
            throw dense.wrong("activation_function", "a name that ends with Identity");
        }
    }

    /** Elements of a vector, as the matrix has rows. */
    int width(Weights file) throws FormatException {
        if (!file.contains(MATRIX + ".weight")) {
            throw new FormatException(file.file(), -1, MATRIX + ".weight", "no such tensor, and late interaction needs it");
        }
        return (int) Math.clamp(file.get(MATRIX + ".weight").size(0), 1, Integer.MAX_VALUE);
    }

    /** The ids of the words that are left out, of those that the vocabulary has. */
    Set<Integer> skippedIds(Tokenizer tokenizer) {
        return new HashSet<>(tokenizer.ids(new HashSet<>(skipped)).values());
    }
}
