package dev.fovea.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** Loads a tokenizer in a process of its own and prints what comes of it. */
final class LoadTokenizer {
    private LoadTokenizer() {}

    /** Takes the path of a {@code tokenizer.json} and a text; prints the ids, or the exception. */
    public static void main(String[] args) {
        try (Tokenizer tokenizer = Tokenizer.load(Path.of(args[0]))) {
            System.out.println(Arrays.toString(tokenizer.encode(args[1])));
        } catch (IOException e) {
            System.out.println(e);
        }
    }
}
