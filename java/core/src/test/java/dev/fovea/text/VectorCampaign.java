package dev.fovea.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Compares with llama.cpp's test vectors: {@code java … dev.fovea.text.VectorCampaign (INP OUT FILE)...}, where the first
 * two are such as {@code models/ggml-vocab-qwen2.gguf.inp}, and the third is a {@code tokenizer.json} or a GGUF file.
 */
final class VectorCampaign {
    private VectorCampaign() {}

    public static void main(String[] args) throws IOException {
        int failures = 0;
        for (int i = 0; i < args.length; i += 3) {
            String[] texts = Files.readString(Path.of(args[i])).split("\n__ggml_vocab_test__\n", -1);
            String[] ids = Files.readString(Path.of(args[i + 1])).split("\n", -1);
            int equal = 0;
            int cases = Math.min(texts.length, ids.length - 1);
            try (Tokenizer tokenizer = TokenizerSource.load(Path.of(args[i + 2]), false)) {
                for (int k = 0; k < cases; k++) {
                    int[] expected = ids[k].isBlank() ? new int[0]
                            : Arrays.stream(ids[k].strip().split(" ")).mapToInt(Integer::parseInt).toArray();
                    int[] actual = tokenizer.encode(texts[k]);
                    if (Arrays.equals(expected, actual)) {
                        equal++;
                    } else {
                        System.out.printf("case %d '%s': expected %s, got %s%n", k, texts[k], Arrays.toString(expected),
                                Arrays.toString(actual));
                    }
                }
            }
            System.out.printf("%s: %d of %d of %s%n", args[i + 2], equal, cases, args[i]);
            failures += cases - equal;
        }
        System.exit(failures == 0 ? 0 : 1);
    }
}
