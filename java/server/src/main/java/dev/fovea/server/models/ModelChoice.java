package dev.fovea.server.models;

import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model to serve.
 *
 * @param name what clients call it
 * @param what a name that {@link ModelCatalog} knows, or the path
 * @param path of a directory or a {@code .gguf} file; null for a model that is known by its name
 */
public record ModelChoice(String name, String what, Path path) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");
    private static final String GGUF = ".gguf";

    /** The model of a path, by a name of its own. */
    public static ModelChoice of(String name, Path path) {
        return new ModelChoice(name, path.toString(), path);
    }

    /**
     * What a user names: a name that {@link ModelCatalog} knows, a directory or a {@code .gguf} file, perhaps with the name
     * for clients before it, {@code NAME=M}. Without that, clients know it by its own name, or the last part of its path.
     */
    public static ModelChoice parse(String given) {
        int equals = given.indexOf('=');
        if (equals > 0 && NAME.matcher(given.substring(0, equals)).matches() && existing(given) == null) {
            String what = given.substring(equals + 1);
            return new ModelChoice(given.substring(0, equals), what, existing(what));
        }
        Optional<NamedModel> known = ModelCatalog.find(given);
        Path path = existing(given);
        if (path == null) {
            return new ModelChoice(known.map(NamedModel::name).orElse(given), given, null);
        }
        String last = String.valueOf(path.toAbsolutePath().normalize().getFileName());
        String own = last.endsWith(GGUF) ? last.substring(0, last.length() - GGUF.length()) : last;
        return new ModelChoice(known.map(NamedModel::name).orElse(own), given, path);
    }

    private static Path existing(String path) {
        try {
            return Files.exists(Path.of(path)) ? Path.of(path) : null;
        } catch (InvalidPathException _) {
            return null;
        }
    }
}
