package dev.fovea.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * Times the tokenizer in Java and the library in turn: {@code java … dev.fovea.text.TokenizerSpeed FILE...}. The
 * library is timed as Fovea called it, without special tokens, ids alone; results are compared first.
 */
final class TokenizerSpeed {
    private static final int ROUNDS = 7;

    private TokenizerSpeed() {}

    public static void main(String[] args) throws Exception {
        System.out.printf("%-40s %10s %12s %12s %12s %8s%n", "tokenizer", "words", "Java", "to segment", "library", "ratio");
        for (String arg : args) {
            Path file = Path.of(arg);
            long begin = System.nanoTime();
            try (Tokenizer java = Tokenizer.load(file, false); Arena arena = Arena.ofConfined()) {
                long loaded = System.nanoTime();
                try (Tokenizer library = Tokenizer.load(file, true)) {
                    System.out.printf("%s: loads in %d ms, library in %d%n", file.getFileName(), (loaded - begin) / 1_000_000,
                            (System.nanoTime() - loaded) / 1_000_000);
                    for (int words : new int[] {12, 5000}) {
                        String text = english(words);
                        if (!Arrays.equals(java.encode(text), library.encode(text))) {
                            throw new IllegalStateException("ids differ");
                        }
                        MemorySegment ids = arena.allocate(80_000);
                        double[] times = times(2_000_000 / words, () -> java.encode(text).length,
                                () -> java.encode(text, ids), () -> library.encode(text).length);
                        System.out.printf("%-40s %10d %9.2f us %9.2f us %9.2f us %8.2f%n", file.getParent().getFileName(),
                                words, times[0], times[1], times[2], times[2] / times[0]);
                    }
                }
            }
        }
    }

    private interface Run {
        int run();
    }

    /** The medians of rounds in turn, in microseconds. */
    private static double[] times(int calls, Run... runs) {
        double[][] all = new double[runs.length][ROUNDS];
        int sum = 0;
        for (int round = -2; round < ROUNDS; round++) {
            for (int i = 0; i < runs.length; i++) {
                int times = Math.max(1, calls / 40);
                long begin = System.nanoTime();
                for (int k = 0; k < times; k++) {
                    sum += runs[i].run();
                }
                if (round >= 0) {
                    all[i][round] = (System.nanoTime() - begin) / 1e3 / times;
                }
            }
        }
        if (sum == 42) {
            System.out.println();
        }
        return Arrays.stream(all).mapToDouble(one -> {
            Arrays.sort(one);
            return one[ROUNDS / 2];
        }).toArray();
    }

    /** Words of English, with punctuation and some numbers. */
    static String english(int words) {
        String[] known = ("the of and to in is that it was for on are as with his they at be this have from or one had by word "
                + "but not what all were we when your can said there use an each which she do how their if will up other about "
                + "out many then them these so some her would make like him into time has look two more write go see number no "
                + "way could people my than first water been call who oil its now find long down day did get come made may part "
                + "transformer attention tokenization unbelievable Gesellschaft photosynthesis naïve café interoperability "
                + "quantization Massachusetts misunderstanding").split(" ");
        Random random = new Random(5);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            String word = random.nextInt(30) == 0 ? Integer.toString(random.nextInt(3000)) : known[random.nextInt(known.length)];
            text.append(i == 0 ? "" : " ").append(word).append(random.nextInt(12) == 0 ? "," : "");
            text.append(random.nextInt(20) == 0 ? "." : "");
        }
        return text.append('.').toString();
    }
}
