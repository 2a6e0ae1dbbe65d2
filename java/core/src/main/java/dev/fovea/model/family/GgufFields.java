package dev.fovea.model.family;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.tensor.Shape;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What models in GGUF files have in common: keys that begin with the architecture, and tensors that are all used.
 *
 * @param architecture what the file says it is
 */
record GgufFields(GgufWeights file, GgufMetadata metadata, String architecture) {
    private static final String ARCHITECTURE = "general.architecture";

    /** Of a file of one of these architectures. */
    static GgufFields of(GgufWeights file, List<String> architectures) throws FormatException {
        GgufMetadata metadata = file.metadata();
        String architecture = metadata.string(ARCHITECTURE);
        if (!architectures.contains(architecture)) {
            throw metadata.error(ARCHITECTURE, "expected one of " + architectures + ", got '" + Excerpt.of(architecture) + "'");
        }
        return new GgufFields(file, metadata, architecture);
    }

    /** The key of this name. */
    String key(String name) {
        return architecture + '.' + name;
    }

    void refuse(String key, boolean wrong, String expected) throws FormatException {
        if (wrong) {
            throw metadata.error(key, "expected " + expected);
        }
    }

    /** Rows of a matrix that must be there. */
    long rows(String name) throws FormatException {
        if (!file.contains(name)) {
            throw new FormatException(file.file(), -1, name, "no such tensor, and the architecture " + architecture
                    + " demands it; there are " + file.brief());
        }
        Shape shape = file.shape(name);
        if (shape.rank() != 2) {
            throw new FormatException(file.file(), -1, name, "expected 2 dimensions, got shape " + shape);
        }
        return shape.size(0);
    }

    /** Layers, which are no more than there are tensors. */
    int blocks() throws FormatException {
        int blocks = metadata.integer(key("block_count"), 1);
        refuse(key("block_count"), blocks > file.names().size(),
                "at most the " + file.names().size() + " tensors, got " + blocks);
        return blocks;
    }

    /** A tensor that nobody reads would be a part of the model that is silently left out. */
    void requireAllUsed(Description description, WeightNames names, Predicate<String> others) throws FormatException {
        Set<String> unused = new HashSet<>(file.names());
        WeightShapes.<RuntimeException>visit(description, (part, layer, bias, _) ->
                names.candidates(part, layer, bias).forEach(unused::remove));
        unused.removeIf(others);
        if (!unused.isEmpty()) {
            List<String> sorted = unused.stream().sorted().toList();
            throw new FormatException(file.file(), -1, sorted.getFirst(), "the architecture " + architecture
                    + " has no such tensor; there are " + sorted.size() + " of these: " + Excerpt.of(sorted));
        }
    }
}
