package dev.fovea.bench.start;

import dev.fovea.model.TextEncoder;
import java.io.IOException;

/** Fovea, with the model in its cache. */
final class FoveaStart {
    private FoveaStart() {}

    /** Loads the model and gives a text's vector. */
    static float[] firstVector(String text) throws IOException {
        return TextEncoder.load("all-minilm-l6-v2").encode(text);
    }
}
