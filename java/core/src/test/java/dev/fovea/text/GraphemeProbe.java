package dev.fovea.text;

import dev.fovea.internal.text.Unicode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * Where the library sees the borders of characters as readers see them (UAX 29). Its {@code Precompiled} normalizer
 * shows them: of such a character it looks the first part up, and drops the rest where it finds it.
 */
final class GraphemeProbe {
    /** Consonants that link up (UAX 29, GB9c), from DerivedCoreProperties of Unicode 16. */
    private static final int[][] CONSONANTS = {{0x915, 0x939}, {0x958, 0x95F}, {0x978, 0x97F}, {0x995, 0x9A8},
        {0x9AA, 0x9B0}, {0x9B2, 0x9B2}, {0x9B6, 0x9B9}, {0x9DC, 0x9DD}, {0x9DF, 0x9DF}, {0x9F0, 0x9F1}, {0xA95, 0xAA8},
        {0xAAA, 0xAB0}, {0xAB2, 0xAB3}, {0xAB5, 0xAB9}, {0xAF9, 0xAF9}, {0xB15, 0xB28}, {0xB2A, 0xB30}, {0xB32, 0xB33},
        {0xB35, 0xB39}, {0xB5C, 0xB5D}, {0xB5F, 0xB5F}, {0xB71, 0xB71}, {0xC15, 0xC28}, {0xC2A, 0xC39}, {0xC58, 0xC5A},
        {0xD15, 0xD3A}};

    void add(int[] properties) throws IOException {
        String map = charsmap("a", "b");
        String marks = charsmap("\u0301", "z");
        try (LibraryProbe behind = new LibraryProbe(map, "null"); LibraryProbe mark = new LibraryProbe(marks, "null")) {
            for (int c = 0; c < properties.length; c++) {
                if (c >= 0xD800 && c <= 0xDFFF || c == 'a' || c == 0x301) {
                    continue;
                }
                String text = Character.toString(c);
                if (behind.text("a" + text).equals("b")) {
                    properties[c] |= Unicode.JOINS;
                } else if (behind.text(text + "a\u0301").equals(text + "b\u0301")) {
                    properties[c] |= Unicode.PREPENDS;
                } else if (mark.text(text + "\u0301\u0302").equals(text + "z")) {
                    properties[c] |= Unicode.CONTROL;
                }
                if (Character.isExtendedPictographic(c)) {
                    properties[c] |= Unicode.PICTOGRAPHIC;
                }
            }
        }
        properties[0x301] |= Unicode.JOINS;
        for (int[] range : CONSONANTS) {
            for (int c = range[0]; c <= range[1]; c++) {
                properties[c] |= Unicode.LINKS;
            }
        }
    }

    /** A normalizer that knows one text of at most one char. */
    static String charsmap(String key, String image) {
        byte[] keys = key.getBytes(StandardCharsets.UTF_8);
        byte[] images = (image + "\0").getBytes(StandardCharsets.UTF_8);
        // Node i of the path has its children at 256 × (i + 1) XOR their label.
        int units = 256 * (keys.length + 2);
        ByteBuffer map = ByteBuffer.allocate(4 + 4 * units + images.length).order(ByteOrder.LITTLE_ENDIAN);
        map.putInt(4 * units);
        int[] array = new int[units];
        array[0] = 256 << 10;
        int node = 256;
        for (int i = 0; i < keys.length; i++) {
            int child = node ^ keys[i] & 0xff;
            int next = 256 * (i + 2);
            array[child] = (child ^ next) << 10 | (i == keys.length - 1 ? 1 << 8 : 0) | keys[i] & 0xff;
            node = next;
        }
        array[node] = 1 << 31;
        for (int unit : array) {
            map.putInt(unit);
        }
        map.put(images);
        return "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + Base64.getEncoder().encodeToString(map.array())
                + "\"}";
    }
}
