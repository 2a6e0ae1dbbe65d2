package dev.fovea.text;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes {@code unicode.bin}, of which {@code dev.fovea.internal.text.Unicode} reads what characters are: runs the
 * library over all code points. Of the JDK's own tables only that of pictographs has a say.
 *
 * <p>Run it when the library's version changes: {@code java -cp <test class path> dev.fovea.text.UnicodeGenerator
 * src/main/resources/dev/fovea/internal/text/unicode.bin}.
 */
final class UnicodeGenerator {
    static final int CODE_POINTS = Character.MAX_CODE_POINT + 1;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private UnicodeGenerator() {}

    public static void main(String[] args) throws IOException {
        Files.write(Path.of(args[0]), bytes());
    }

    /** The file's bytes. */
    static byte[] bytes() throws IOException {
        UnicodeGenerator generator = new UnicodeGenerator();
        CharacterProbe probe = new CharacterProbe();
        generator.runs(probe.properties());
        generator.mapping(probe.lowercase());
        Map<Integer, String> canonical = probe.image("{\"type\":\"NFD\"}");
        canonical.keySet().removeIf(UnicodeGenerator::isSyllable);
        generator.mapping(canonical);
        Map<Integer, String> compatible = probe.image("{\"type\":\"NFKD\"}");
        compatible.keySet().removeIf(UnicodeGenerator::isSyllable);
        canonical.forEach(compatible::remove);
        generator.mapping(compatible);
        generator.compositions(probe.compositions(canonical));
        return generator.out.toByteArray();
    }

    /** Whether a character is a syllable of Hangul, which rules take apart. */
    static boolean isSyllable(int codePoint) {
        return codePoint >= 0xAC00 && codePoint <= 0xD7A3;
    }

    /** Runs of code points with the same properties. */
    private void runs(int[] properties) {
        Map<Integer, Integer> words = new LinkedHashMap<>();
        List<int[]> runs = new ArrayList<>();
        for (int at = 0; at < CODE_POINTS;) {
            int start = at;
            while (at < CODE_POINTS && properties[at] == properties[start]) {
                at++;
            }
            words.putIfAbsent(properties[start], words.size());
            runs.add(new int[] {at - start, words.get(properties[start])});
        }
        number(words.size());
        words.keySet().forEach(this::number);
        number(runs.size());
        for (int[] run : runs) {
            number(run[0]);
            number(run[1]);
        }
    }

    private void mapping(Map<Integer, String> images) {
        number(images.size());
        int last = 0;
        for (var entry : new TreeMap<>(images).entrySet()) {
            number(entry.getKey() - last);
            last = entry.getKey();
            int[] image = entry.getValue().codePoints().toArray();
            number(image.length);
            for (int codePoint : image) {
                number(codePoint);
            }
        }
    }

    private void compositions(List<int[]> triples) {
        number(triples.size());
        for (int[] triple : triples) {
            number(triple[0]);
            number(triple[1]);
            number(triple[2]);
        }
    }

    /** Seven bits a byte, the low ones first; the sign bit is set where more follow. */
    private void number(int value) {
        int rest = value;
        while (rest >>> 7 != 0) {
            out.write(rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        out.write(rest);
    }
}
