package dev.fovea.it;

import dev.fovea.model.TextEncoder;
import java.io.IOException;

/** Encodes a text and says by what, and a number that stands for the vector. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException {
        try (TextEncoder encoder = TextEncoder.load("all-minilm-l6-v2")) {
            float[] vector = encoder.encode("How do I reset my password?");
            System.out.printf("%s %d %.6f%n", encoder.engine().backend(), vector.length, vector[0]);
        }
    }
}
