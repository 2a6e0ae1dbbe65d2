package dev.fovea.text;

import dev.fovea.weights.GgufWeights;
import java.io.IOException;
import java.nio.file.Path;

/** Loads what a campaign is given: a {@code tokenizer.json}, or a GGUF file. */
final class TokenizerSource {
    private TokenizerSource() {}

    static Tokenizer load(Path file, boolean byLibrary) throws IOException {
        if (!file.toString().endsWith(".gguf")) {
            return Tokenizer.load(file, byLibrary);
        }
        try (GgufWeights weights = GgufWeights.open(file)) {
            return Tokenizer.load(weights.metadata(), byLibrary);
        }
    }
}
