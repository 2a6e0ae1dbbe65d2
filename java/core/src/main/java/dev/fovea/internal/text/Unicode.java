package dev.fovea.internal.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;

/**
 * What characters are to the Hugging Face tokenizers library, whose parts follow several versions of Unicode, all of them
 * other ones than some JDK's. Read from {@code unicode.bin}, which {@code UnicodeGenerator} in the tests has made by
 * running the library over all code points.
 *
 * <p>The properties of a code point are a word of bits: its general category in bits 0 to 4, the rank of its canonical
 * combining class in bits 24 to 30, and the flags below.
 */
public final class Unicode {
    /** General categories, two letters each, in the order of their numbers; unassigned ones come first. */
    public static final String CATEGORIES = "CnLuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCo";
    /** The mask of the category. */
    public static final int CATEGORY = 31;

    /** White space. */
    public static final int SPACE = 1 << 5;
    /** Control, format, private and unassigned characters. */
    public static final int OTHER = 1 << 6;
    /** Punctuation, symbols of ASCII included. */
    public static final int PUNCTUATION = 1 << 7;
    /** Marks that take no room. */
    public static final int NONSPACING = 1 << 8;
    /** Marks of any kind. */
    public static final int COMBINING = 1 << 9;
    /** Digits and other numbers. */
    public static final int NUMERIC = 1 << 10;
    /** Characters of words, by the library's own patterns. */
    public static final int WORD = 1 << 11;
    /** {@code \s} of patterns in files. */
    public static final int REGEX_SPACE = 1 << 12;
    /** {@code \w} of patterns in files. */
    public static final int REGEX_WORD = 1 << 13;
    /** No part of what is before or behind (UAX 29). */
    public static final int CONTROL = 1 << 14;
    /** Part of the character before. */
    public static final int JOINS = 1 << 15;
    /** Part of the character behind. */
    public static final int PREPENDS = 1 << 16;
    /** A pictograph, which another may join. */
    public static final int PICTOGRAPHIC = 1 << 17;
    /** A consonant of scripts that link them. */
    public static final int LINKS = 1 << 18;
    /** Has a canonical decomposition. */
    public static final int DECOMPOSES = 1 << 19;
    /** Has a compatibility or canonical decomposition. */
    public static final int DECOMPOSES_COMPATIBLY = 1 << 20;
    /** Has another character, or two, as its lower case. */
    public static final int LOWERCASES = 1 << 21;
    /** May become one with the character before. */
    public static final int COMPOSES = 1 << 22;

    /** Where the rank of the combining class begins; 0 is that of all characters that are no marks. */
    public static final int COMBINING_SHIFT = 24;

    private static final int BLOCK = 256;
    private static final Unicode LOADED = load();

    /** Where the block of each 256 code points begins in {@link #properties}. */
    private final int[] blocks = new int[(Character.MAX_CODE_POINT + 1) / BLOCK];
    private int[] properties = new int[600 * BLOCK];
    /** What follows the properties. */
    private final Numbers rest;

    private Unicode(Numbers in) {
        readProperties(in);
        rest = in;
    }

    /** What characters become, which is read for the first text with one that becomes another. */
    private static final class Images {
        private static final Mapping LOWER = Mapping.read(LOADED.rest);
        private static final Mapping CANONICAL = Mapping.read(LOADED.rest);
        private static final Mapping COMPATIBLE = Mapping.read(LOADED.rest);
        private static final Compositions COMPOSITIONS = Compositions.read(LOADED.rest);
    }

    private static Unicode load() {
        try (InputStream in = Unicode.class.getResourceAsStream("unicode.bin")) {
            if (in == null) {
                throw new IOException("no unicode.bin beside " + Unicode.class.getName());
            }
            return new Unicode(new Numbers(in.readAllBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The properties of a code point. */
    public static int of(int codePoint) {
        return LOADED.properties[LOADED.blocks[codePoint >> 8] + (codePoint & BLOCK - 1)];
    }

    /** Whether a code point has one of the properties. */
    public static boolean is(int codePoint, int anyOf) {
        return (of(codePoint) & anyOf) != 0;
    }

    static Mapping lower() {
        return Images.LOWER;
    }

    static Mapping canonical() {
        return Images.CANONICAL;
    }

    /** Decompositions that are not canonical ones. */
    static Mapping compatible() {
        return Images.COMPATIBLE;
    }

    static Compositions compositions() {
        return Images.COMPOSITIONS;
    }

    /** Runs; blocks of one property are shared. */
    private void readProperties(Numbers in) {
        int[] words = new int[in.next()];
        for (int i = 0; i < words.length; i++) {
            words[i] = in.next();
        }
        int[] uniform = new int[words.length];
        Arrays.fill(uniform, -1);
        int used = 0;
        int at = 0;
        for (int runs = in.next(); runs > 0; runs--) {
            int end = at + in.next();
            int word = in.next();
            while (at < end) {
                boolean whole = at % BLOCK == 0 && end - at >= BLOCK;
                int stop = Math.min(end, (at / BLOCK + 1) * BLOCK);
                if (at % BLOCK == 0) {
                    blocks[at / BLOCK] = whole && uniform[word] >= 0 ? uniform[word] : used;
                    if (blocks[at / BLOCK] == used) {
                        uniform[word] = whole ? used : uniform[word];
                        used += BLOCK;
                        properties = used > properties.length ? Arrays.copyOf(properties, 2 * used) : properties;
                    }
                }
                int base = blocks[at / BLOCK] - at / BLOCK * BLOCK;
                Arrays.fill(properties, base + at, base + stop, words[word]);
                at = stop;
            }
        }
    }
}
