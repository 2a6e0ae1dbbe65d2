package dev.fovea.internal.text;

/** Code points and what they become: one or several code points, or none. */
final class Mapping {
    /** By open addressing: a code point plus 1, or 0; then where its image begins, and how long it is. */
    private final int[] keys;
    private final int[] starts;
    private final int[] lengths;
    private final int[] images;

    private Mapping(int slots, int images) {
        this.keys = new int[slots];
        this.starts = new int[slots];
        this.lengths = new int[slots];
        this.images = new int[images];
    }

    static Mapping read(Numbers in) {
        int count = in.next();
        int[] codePoints = new int[count];
        int[] lengths = new int[count];
        int[] images = new int[20 * count];
        int used = 0;
        int last = 0;
        for (int i = 0; i < count; i++) {
            last += in.next();
            codePoints[i] = last;
            lengths[i] = in.next();
            for (int k = 0; k < lengths[i]; k++) {
                images[used++] = in.next();
            }
        }
        Mapping mapping = new Mapping(Integer.highestOneBit(Math.max(1, count)) * 4, used);
        System.arraycopy(images, 0, mapping.images, 0, used);
        int at = 0;
        for (int i = 0; i < count; i++) {
            int slot = mapping.slot(codePoints[i]);
            mapping.keys[slot] = codePoints[i] + 1;
            mapping.starts[slot] = at;
            mapping.lengths[slot] = lengths[i];
            at += lengths[i];
        }
        return mapping;
    }

    /** Where a code point's entry is, or would be. */
    int slot(int codePoint) {
        int slot = codePoint * 0x9E3779B1 >>> 8 & keys.length - 1;
        while (keys[slot] != 0 && keys[slot] != codePoint + 1) {
            slot = slot + 1 & keys.length - 1;
        }
        return slot;
    }

    boolean has(int slot) {
        return keys[slot] != 0;
    }

    int length(int slot) {
        return lengths[slot];
    }

    int image(int slot, int index) {
        return images[starts[slot] + index];
    }
}
