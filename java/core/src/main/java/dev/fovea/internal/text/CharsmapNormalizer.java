package dev.fovea.internal.text;

import dev.fovea.internal.files.Utf8;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Replaces texts by what a map of SentencePiece has for them: the size in bytes of a double array, the array, and texts in
 * UTF-8 that end with 0.
 *
 * <p>A unit of the array, by darts-clone: bit 31 marks a label or value, bits 0 to 7 the label, bit 8 that the node has
 * a value, bit 9 that the offset in bits 10 to 30 is in units of 256.
 *
 * <p>As in the library, a character as readers see it, of at most five bytes, is what the map has for the shortest text
 * that it begins with; of others, each code point is looked up.
 */
public final class CharsmapNormalizer implements Normalizer {
    private static final int MOST_BYTES = 5;

    private final int[] units;
    private final byte[] texts;

    /** Takes a map whose offsets have been checked. */
    public CharsmapNormalizer(byte[] map) {
        ByteBuffer buffer = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
        this.units = new int[buffer.getInt() / 4];
        for (int i = 0; i < units.length; i++) {
            units[i] = buffer.getInt();
        }
        this.texts = new byte[buffer.remaining()];
        buffer.get(texts);
    }

    @Override
    public void normalize(Scratch scratch, Characters text) {
        Changes changes = scratch.changes;
        changes.clear();
        boolean changed = false;
        for (int at = 0; at < text.size;) {
            int end = Graphemes.end(text.codes, at, text.size);
            int bytes = 0;
            for (int i = at; i < end; i++) {
                bytes += Utf8.bytes(text.codes[i]);
            }
            int image = bytes <= MOST_BYTES ? find(text.codes, at, end) : -1;
            if (image >= 0) {
                replace(changes, end - at, image);
                changed = true;
            } else {
                for (int i = at; i < end; i++) {
                    int one = find(text.codes, i, i + 1);
                    if (one >= 0) {
                        replace(changes, 1, one);
                        changed = true;
                    } else {
                        changes.add(text.codes[i], 0);
                    }
                }
            }
            at = end;
        }
        if (changed) {
            changes.apply(text);
        }
    }

    /** Where the text begins that is for the shortest known one that code points begin with; −1 if there is none. */
    private int find(int[] codes, int from, int to) {
        int node = offset(units[0]);
        for (int i = from; i < to; i++) {
            int bytes = Utf8.bytes(codes[i]);
            for (int k = 0; k < bytes; k++) {
                int b = PairMerges.utf8(codes[i], bytes, k);
                if (b == 0) {
                    return -1;
                }
                node ^= b;
                int unit = node < units.length ? units[node] : 0;
                if ((unit & (1 << 31 | 0xff)) != b) {
                    return -1;
                }
                node ^= offset(unit);
                if ((unit >>> 8 & 1) != 0) {
                    return units[node] & Integer.MAX_VALUE;
                }
            }
        }
        return -1;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >>> 6);
    }

    /** Adds a text for so many code points, counted as the library does. */
    private void replace(Changes changes, int old, int image) {
        int count = 0;
        for (int at = image; at < texts.length && texts[at] != 0; count++) {
            int lead = texts[at] & 0xff;
            int more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
            int code = more == 0 ? lead : lead & 0x3f >> more;
            for (int i = 1; i <= more; i++) {
                code = code << 6 | texts[at + i] & 0x3f;
            }
            changes.add(code, 0);
            at += more + 1;
        }
        for (int i = 0; i < count - old; i++) {
            changes.steps[changes.size - 1 - i] = 1;
        }
        if (count < old && changes.size > 0) {
            changes.steps[changes.size - 1] += count - old;
        }
    }
}
