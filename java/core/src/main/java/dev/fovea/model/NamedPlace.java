package dev.fovea.model;

import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;

/** Where a named model is: in the cache, or in memory where that cannot be used. */
final class NamedPlace implements EncoderModel.Place {
    private final NamedModel model;
    private Path directory;

    NamedPlace(NamedModel model) {
        this.model = model;
    }

    @Override
    public Path find() throws IOException {
        directory = ModelCatalog.loadable(model);
        return directory;
    }

    /** What is wrong with a file of it, and how to repair that: those in the cache were good when they came there. */
    FormatException damaged(FormatException e) {
        return directory == null ? e : new FormatException(e.file(), e.offset(), e.field(), e.problem()
                + "; the cached model is damaged, repair it with: ./fovea models pull " + model.name()
                + " (or delete " + directory + ")", e);
    }
}
