package dev.fovea.text;

import dev.fovea.internal.text.Unicode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** What the library takes each code point for. */
final class CharacterProbe {
    /** One character of each combining class, in the order of their classes. */
    private static final int[] MARKS = {0x334, 0x16FF0, 0x93C, 0x3099, 0x94D, 0x5B0, 0x5B1, 0x5B2, 0x5B3, 0x5B4, 0x5B5,
        0x5B6, 0x5B7, 0x5B8, 0x5B9, 0x5BB, 0x5BC, 0x5BD, 0x5BF, 0x5C1, 0x5C2, 0xFB1E, 0x64B, 0x64C, 0x64D, 0x64E, 0x64F,
        0x650, 0x651, 0x652, 0x670, 0x711, 0xC55, 0xC56, 0xE38, 0xE48, 0xEB8, 0xEC8, 0xF71, 0xF72, 0xF74, 0x321, 0x1DCE,
        0x31B, 0x302A, 0x316, 0x59A, 0x302E, 0x1D16D, 0x5AE, 0x300, 0x315, 0x35C, 0x35D, 0x345};

    private static final String BERT = "{\"type\":\"BertNormalizer\",\"clean_text\":%s,\"handle_chinese_chars\":false,"
            + "\"strip_accents\":%s,\"lowercase\":false}";

    private final List<String> all = new ArrayList<>();

    CharacterProbe() {
        for (int plane = 0; plane <= 16; plane++) {
            StringBuilder text = new StringBuilder();
            scalars(plane).forEach(text::appendCodePoint);
            all.add(text.toString());
        }
    }

    private static IntStream scalars(int plane) {
        return IntStream.range(plane << 16, plane + 1 << 16).filter(c -> c < 0xD800 || c > 0xDFFF);
    }

    int[] properties() throws IOException {
        int[] properties = new int[UnicodeGenerator.CODE_POINTS];
        for (int category = 0; 2 * category < Unicode.CATEGORIES.length(); category++) {
            String name = Unicode.CATEGORIES.substring(2 * category, 2 * category + 2);
            add(properties, split("\\\\p{" + name + "}"), category);
        }
        add(properties, removedBy("null", "{\"type\":\"WhitespaceSplit\"}"), Unicode.SPACE);
        add(properties, removedBy("null", "{\"type\":\"Punctuation\",\"behavior\":\"Removed\"}"), Unicode.PUNCTUATION);
        add(properties, removedBy("{\"type\":\"StripAccents\"}", "null"), Unicode.COMBINING);
        add(properties, split("\\\\s"), Unicode.REGEX_SPACE);
        add(properties, split("\\\\w"), Unicode.REGEX_WORD);
        BitSet other = removedBy(BERT.formatted(true, false), "{\"type\":\"WhitespaceSplit\"}");
        other.andNot(removedBy("null", "{\"type\":\"WhitespaceSplit\"}"));
        try (LibraryProbe probe = new LibraryProbe(BERT.formatted(true, false), "null")) {
            removedBy("null", "{\"type\":\"WhitespaceSplit\"}").stream()
                    .filter(c -> probe.text("a" + Character.toString(c) + "a").equals("aa")).forEach(other::set);
        }
        other.clear(0);
        other.clear(0xFFFD);
        add(properties, other, Unicode.OTHER);
        add(properties, alone("{\"type\":\"Digits\",\"individual_digits\":true}"), Unicode.NUMERIC);
        BitSet word = removedBy("null", "{\"type\":\"WhitespaceSplit\"}");
        word.or(alone("{\"type\":\"Whitespace\"}"));
        word.flip(0, UnicodeGenerator.CODE_POINTS);
        add(properties, word, Unicode.WORD);
        Map<Integer, String> canonical = image("{\"type\":\"NFD\"}");
        BitSet marks = new BitSet();
        image(BERT.formatted(false, true)).forEach((c, image) -> {
            if (image.isEmpty() && !canonical.containsKey(c)) {
                marks.set(c);
            }
        });
        add(properties, marks, Unicode.NONSPACING);
        canonical.keySet().forEach(c -> properties[c] |= Unicode.DECOMPOSES);
        image("{\"type\":\"NFKD\"}").keySet().forEach(c -> properties[c] |= Unicode.DECOMPOSES_COMPATIBLY);
        lowercase().keySet().forEach(c -> properties[c] |= Unicode.LOWERCASES);
        compositions(canonical).forEach(triple -> properties[triple[1]] |= Unicode.COMPOSES);
        for (int vowel = 0x1161; vowel <= 0x1175; vowel++) {
            properties[vowel] |= Unicode.COMPOSES;
        }
        for (int trailing = 0x11A8; trailing <= 0x11C2; trailing++) {
            properties[trailing] |= Unicode.COMPOSES;
        }
        combiningRanks(properties);
        new GraphemeProbe().add(properties);
        for (int surrogate = 0xD800; surrogate <= 0xDFFF; surrogate++) {
            properties[surrogate] = properties[0xFFFD];
        }
        return properties;
    }

    private static void add(int[] properties, BitSet codePoints, int bits) {
        codePoints.stream().forEach(c -> properties[c] |= bits);
    }

    private BitSet split(String pattern) throws IOException {
        return removedBy("null", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" + pattern
                + "\"},\"behavior\":\"Removed\",\"invert\":false}");
    }

    private BitSet removedBy(String normalizer, String preTokenizer) throws IOException {
        BitSet removed = new BitSet();
        try (LibraryProbe probe = new LibraryProbe(normalizer, preTokenizer)) {
            for (int plane = 0; plane <= 16; plane++) {
                scalars(plane).forEach(removed::set);
                probe.words(all.get(plane)).forEach(word -> word.codePoints().forEach(removed::clear));
            }
        }
        return removed;
    }

    /** What stands alone between letters. */
    private BitSet alone(String preTokenizer) throws IOException {
        BitSet alone = new BitSet();
        try (LibraryProbe probe = new LibraryProbe("null", preTokenizer)) {
            for (int plane = 0; plane <= 16; plane++) {
                StringBuilder text = new StringBuilder("a");
                scalars(plane).forEach(c -> text.appendCodePoint(c).append('a'));
                for (String word : probe.words(text.toString())) {
                    if (word.indexOf('a') < 0) {
                        word.codePoints().forEach(alone::set);
                    }
                }
            }
        }
        return alone;
    }

    Map<Integer, String> lowercase() throws IOException {
        return image("{\"type\":\"Lowercase\"}");
    }

    /** What code points become, where that is not themselves. */
    Map<Integer, String> image(String normalizer) throws IOException {
        Map<Integer, String> images = new TreeMap<>();
        try (LibraryProbe probe = new LibraryProbe(normalizer, "null")) {
            for (int plane = 0; plane <= 16; plane++) {
                int[] codePoints = scalars(plane).filter(c -> c != '\n').toArray();
                List<String> texts = new ArrayList<>();
                for (int c : codePoints) {
                    texts.add(Character.toString(c));
                }
                List<String> lines = normalized(probe, texts);
                for (int i = 0; i < codePoints.length; i++) {
                    if (!lines.get(i).equals(texts.get(i))) {
                        images.put(codePoints[i], lines.get(i));
                    }
                }
            }
        }
        return images;
    }

    private static List<String> normalized(LibraryProbe probe, List<String> texts) {
        String[] lines = probe.text(String.join("\n", texts) + "\n|").split("\n", -1);
        if (lines.length != texts.size() + 1) {
            throw new IllegalStateException("expected " + texts.size() + " lines, got " + (lines.length - 1));
        }
        return List.of(lines);
    }

    /** First, second and what they become together. */
    List<int[]> compositions(Map<Integer, String> canonical) throws IOException {
        List<int[]> triples = new ArrayList<>();
        Map<Integer, String> composed = image("{\"type\":\"NFC\"}");
        try (LibraryProbe probe = new LibraryProbe("{\"type\":\"NFC\"}", "null")) {
            for (var entry : canonical.entrySet()) {
                int c = entry.getKey();
                if (composed.containsKey(c) || UnicodeGenerator.isSyllable(c)) {
                    continue;
                }
                String parts = entry.getValue();
                int last = parts.offsetByCodePoints(parts.length(), -1);
                String first = probe.text(parts.substring(0, last));
                if (first.codePointCount(0, first.length()) != 1) {
                    throw new IllegalStateException("U+%X is made of more than two parts".formatted(c));
                }
                triples.add(new int[] {first.codePointAt(0), parts.codePointAt(last), c});
            }
        }
        return triples;
    }

    private void combiningRanks(int[] properties) throws IOException {
        try (LibraryProbe probe = new LibraryProbe("{\"type\":\"NFD\"}", "null")) {
            BitSet marks = swapped(probe, 0x345, true);
            marks.or(swapped(probe, 0x334, false));
            Map<Integer, Integer> smaller = new HashMap<>();
            BitSet equal = new BitSet();
            for (int reference : MARKS) {
                BitSet after = swapped(probe, reference, true);
                BitSet before = swapped(probe, reference, false);
                marks.stream().forEach(c -> {
                    smaller.merge(c, before.get(c) ? 1 : 0, Integer::sum);
                    if (!before.get(c) && !after.get(c)) {
                        equal.set(c);
                    }
                });
            }
            marks.stream().forEach(c ->
                    properties[c] |= 2 * smaller.get(c) + (equal.get(c) ? 2 : 1) << Unicode.COMBINING_SHIFT);
        }
    }

    /** Code points that change places with a mark, behind it or before it. */
    private static BitSet swapped(LibraryProbe probe, int mark, boolean behind) {
        BitSet swapped = new BitSet();
        IntPredicate possible = c -> c >= 0x300 && (c < 0x3400 || c >= 0xA000) && (c < 0xAC00 || c > 0xDFFF);
        for (int plane = 0; plane < 2; plane++) {
            int[] codePoints = scalars(plane).filter(possible).toArray();
            List<String> texts = new ArrayList<>();
            for (int c : codePoints) {
                texts.add(behind ? Character.toString(mark) + Character.toString(c)
                        : Character.toString(c) + Character.toString(mark));
            }
            List<String> lines = normalized(probe, texts);
            for (int i = 0; i < codePoints.length; i++) {
                String whole = (behind ? Character.toString(codePoints[i]) + Character.toString(mark)
                        : Character.toString(mark) + Character.toString(codePoints[i]));
                if (lines.get(i).equals(whole) && !lines.get(i).equals(texts.get(i))) {
                    swapped.set(codePoints[i]);
                }
            }
        }
        return swapped;
    }
}
