package dev.fovea.cli;

import dev.fovea.internal.memory.MemoryFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The language model that answers where none is given, so that a fresh machine has something to talk with: a small Llama in
 * Q8_0, which bench/demo/train.py made.
 */
final class DemonstrationModel {
    /** What it is called. */
    static final String NAME = "fovea-demo";

    /** What users are told before it answers. */
    static final String NOTICE = "no model was given, so " + NAME + " answers: it was trained for a few minutes, shows that"
            + " this works, and knows next to nothing";

    private static final String FILE = NAME + ".gguf";

    private DemonstrationModel() {}

    /** Its GGUF file, in memory. */
    static Path file() throws IOException {
        MemoryFiles files = new MemoryFiles(NAME);
        try (InputStream in = DemonstrationModel.class.getResourceAsStream(FILE)) {
            files.put(FILE, in);
        }
        return files.directory().resolve(FILE);
    }
}
