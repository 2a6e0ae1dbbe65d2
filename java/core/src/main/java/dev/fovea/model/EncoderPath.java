package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Paths of encoders: directories, and files that hold a whole model. */
final class EncoderPath {
    private EncoderPath() {}

    /** Whether there is a model's directory or file. */
    static boolean isModel(String path) {
        try {
            return isModel(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static boolean isModel(Path path) {
        return Files.isDirectory(path) || EncoderSource.isFile(path);
    }

    /** @throws ModelNotFoundException if it is a file of a model's, which are loaded by their directory */
    static void requireNoPart(Path path) throws ModelNotFoundException {
        if (Files.exists(path) && !isModel(path)) {
            throw new ModelNotFoundException("expected a model's directory, got the file " + path + "; give the directory that has"
                    + " it, with config.json and the tokenizer beside the weights, or a .gguf file");
        }
    }

    /** @throws ModelNotFoundException if there is no model of this path, which is not a model's name either */
    static Path of(String name) throws ModelNotFoundException {
        try {
            Path path = Path.of(name);
            if (isModel(path)) {
                return path;
            }
            requireNoPart(path);
        } catch (InvalidPathException e) {
            // No directory has such a name.
        }
        throw new ModelNotFoundException("no model and no directory is called '" + Excerpt.of(name) + "'; there are the models "
                + ModelCatalog.names() + ", and those that ./fovea models lists");
    }
}
