package dev.fovea.bench.decode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** A byte-level vocabulary of merges drawn at random, as large as a real one: loading it takes as long. */
final class RandomVocabulary {
    private static final int BYTES = 256;
    private static final int LONGEST = 10;
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;

    private final List<String> texts = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();

    RandomVocabulary(int size, SplittableRandom random) {
        for (int i = 0, others = BYTES; i < BYTES; i++) {
            // As GPT-2 has it: what is not printable stands behind the rest.
            boolean isPrintable = i > ' ' && i < 127 || i > 160 && i != 173;
            texts.add(Character.toString(isPrintable ? i : others++));
        }
        Set<String> known = new HashSet<>(texts);
        while (texts.size() < size - 1) {
            String first = texts.get(random.nextInt(texts.size()));
            String second = texts.get(random.nextInt(texts.size()));
            if (first.length() + second.length() <= LONGEST && known.add(first + second)) {
                texts.add(first + second);
                merges.add(first + " " + second);
            }
        }
        texts.add("<|end|>");
    }

    List<String> texts() {
        return texts;
    }

    List<String> merges() {
        return merges;
    }

    int[] types() {
        int[] types = new int[texts.size()];
        Arrays.fill(types, NORMAL);
        types[end()] = CONTROL;
        return types;
    }

    /** The token that ends a text. */
    int end() {
        return texts.size() - 1;
    }
}
