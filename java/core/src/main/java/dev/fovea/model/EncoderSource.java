package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where the parts of an encoder come from: a directory, or one file that has all of them. */
interface EncoderSource {
    /**
     * That of a path. If it is a file, that is open from now on: the caller asks for the weights, and closes these.
     *
     * @param weightsFile the file of a directory to take weights from, or null for the usual one
     * @throws ModelNotFoundException if there is nothing, or a file that a model needs is not in the directory
     * @throws IllegalArgumentException if a file of weights is asked for within one that has all of a model
     */
    static EncoderSource of(Path path, String weightsFile) throws IOException {
        if (!isFile(path)) {
            return new DirectorySource(path, weightsFile);
        }
        if (weightsFile != null) {
            throw new IllegalArgumentException("expected no file of weights beside " + path + ", which has all of a model,"
                    + " got '" + Excerpt.of(weightsFile) + "'");
        }
        return GgufSource.open(path);
    }

    /** Whether a path is a file that has all of a model. */
    static boolean isFile(Path path) {
        return Files.exists(path) && !Files.isDirectory(path) && path.toString().endsWith(".gguf");
    }

    /** The weights, which the caller closes; to be asked for once. */
    Weights openWeights() throws IOException;

    /** What the encoder is. */
    EncoderConfig config() throws IOException;

    /** Loads the tokenizer of what {@link #config} gave; the caller closes it. */
    Tokenizer openTokenizer(EncoderConfig config) throws IOException;

    /** The file that has the tokenizer. */
    Path tokenizerFile();

    /**
     * What becomes of token vectors.
     *
     * @param specials tokens that the tokenizer puts around each text
     */
    SentenceConfig sentence(Description encoder, int specials) throws IOException;

    /** The model's folder or file, the family and where its parts are, for {@link TextEncoder#properties}. */
    Map<String, String> places(EncoderConfig config) throws IOException;

    /** The settings that are followed, likewise. */
    String settings() throws IOException;
}
