package dev.fovea.text;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * Compares the tokenizer in Java with the library: {@code java … dev.fovea.text.EqualityCampaign TEXTS SEED FILE...}, where
 * files are such as {@code tokenizer.json}, or {@code FILE=ORIGINAL}, of which the library loads the second. First, without such a second
 * file, each code point alone and inside words, then so many random texts; of every eighth also the places and spellings of the tokens.
 */
final class EqualityCampaign {
    private final Tokenizer java;
    private final Tokenizer library;
    private long compared;
    private int failures;
    private String first = "";

    EqualityCampaign(Tokenizer java, Tokenizer library) {
        this.java = java;
        this.library = library;
    }

    public static void main(String[] args) throws Exception {
        int failures = 0;
        for (int i = 2; i < args.length; i++) {
            String[] files = args[i].split("=");
            Path file = Path.of(files[0]);
            Path original = Path.of(files[files.length - 1]);
            try (Tokenizer java = TokenizerSource.load(file, false); Tokenizer library = TokenizerSource.load(original, true)) {
                EqualityCampaign campaign = new EqualityCampaign(java, library);
                if (files.length == 1) {
                    campaign.codePoints();
                }
                campaign.texts(Integer.parseInt(args[0]), Long.parseLong(args[1]));
                System.out.printf("%s: %,d texts compared, %d differ%n", file, campaign.compared, campaign.failures);
                failures += campaign.failures;
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }

    /** Each code point alone, and in a word. */
    int codePoints() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                compare(Character.toString(c), false);
                compare("in" + Character.toString(c) + "ner " + Character.toString(c) + "\u0301x", false);
            }
        }
        return failures;
    }

    /** Random texts. */
    int texts(int count, long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            compare(Texts.of(random), i % 8 == 0);
        }
        return failures;
    }

    int failures() {
        return failures;
    }

    /** The first text that differs. */
    String first() {
        return first;
    }

    void compare(String text, boolean all) {
        compared++;
        int[] expected = library.encode(text);
        int[] actual = java.encode(text);
        if (!Arrays.equals(expected, actual)) {
            report(text, "ids", Arrays.toString(expected), Arrays.toString(actual));
        } else if (all) {
            if (!library.tokens(text).equals(java.tokens(text))) {
                report(text, "tokens", library.tokens(text).toString(), java.tokens(text).toString());
            }
            String expectedPlaces = places(library.input(text, Integer.MAX_VALUE));
            String actualPlaces = places(java.input(text, Integer.MAX_VALUE));
            if (!expectedPlaces.equals(actualPlaces)) {
                report(text, "places", expectedPlaces, actualPlaces);
            }
        }
    }

    private static String places(ModelInput input) {
        return Arrays.toString(input.starts()) + Arrays.toString(input.ends()) + Arrays.toString(input.words());
    }

    private void report(String text, String what, String expected, String actual) {
        first = failures == 0 ? text : first;
        if (failures++ < 20) {
            StringBuilder codes = new StringBuilder();
            text.codePoints().limit(60).forEach(c -> codes.append("%X ".formatted(c)));
            System.out.printf("%s of '%s' (%s): expected %s, got %s%n", what, text, codes, expected, actual);
        }
    }
}
