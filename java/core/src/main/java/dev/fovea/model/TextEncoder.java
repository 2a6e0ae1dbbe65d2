package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Turns texts into vectors. Safe to share between threads. */
public final class TextEncoder implements AutoCloseable {
    private TextEncoder() {}

    /** Loads a model with {@link EncoderOptions#defaults()}; see {@link #load(String, EncoderOptions)}. */
    public static TextEncoder load(String nameOrDirectory) throws IOException {
        return load(nameOrDirectory, EncoderOptions.defaults());
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static TextEncoder load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads a model.
     *
     * @param nameOrDirectory a name of {@link ModelCatalog}, else a directory in the Hugging Face layout
     * @throws ModelNotFoundException if it is neither, or the named model is not on this machine
     * @throws dev.fovea.weights.FormatException if a file of the model is damaged or does not fit the others
     */
    public static TextEncoder load(String nameOrDirectory, EncoderOptions options) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Loads the model in a directory in the Hugging Face layout.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws dev.fovea.weights.FormatException if a file of the model is damaged or does not fit the others
     */
    public static TextEncoder load(Path directory, EncoderOptions options) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * The text's vector, {@link #dimension()} components.
     *
     * @throws IllegalArgumentException if the text has too many tokens and the policy is {@link LengthPolicy#ERROR}
     * @throws IllegalStateException if the encoder is closed
     */
    public float[] encode(String text) {
        throw new UnsupportedOperationException();
    }

    /** Each text's vector, in order; see {@link #encode}. */
    public float[][] encodeAll(List<String> texts) {
        throw new UnsupportedOperationException();
    }

    /** Each text's vector and tokens, in order; see {@link #encode}. */
    public List<TextEmbedding> embedAll(List<String> texts) {
        throw new UnsupportedOperationException();
    }

    /** A session for one thread, over this encoder's weights. The caller closes it. */
    public EncoderSession newSession() {
        throw new UnsupportedOperationException();
    }

    /** Components of a vector. */
    public int dimension() {
        throw new UnsupportedOperationException();
    }

    /** Tokens that the model takes, special tokens included. */
    public int maxTokens() {
        throw new UnsupportedOperationException();
    }

    /** How token vectors become one. */
    public Pooling pooling() {
        throw new UnsupportedOperationException();
    }

    /** The name that it was loaded by, or the directory's. */
    public String name() {
        throw new UnsupportedOperationException();
    }

    /** What it runs on. */
    public Engine engine() {
        throw new UnsupportedOperationException();
    }

    /**
     * Frees the model. Calls that are running finish first; later ones throw {@link IllegalStateException}.
     * Idempotent.
     */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
