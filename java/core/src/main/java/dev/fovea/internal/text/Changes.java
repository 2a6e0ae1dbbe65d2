package dev.fovea.internal.text;

import java.util.Arrays;

/**
 * A text that is to replace another one, and how its code points come about: 0 for one that stands for the next of the old
 * text, 1 for one more that stands for the same, −n for one that stands for the next and takes n more along. That is
 * how the library counts where characters come from.
 */
final class Changes {
    int[] codes = new int[256];
    int[] steps = new int[256];
    int size;

    /** The code points that there is room for. */
    int room() {
        return codes.length;
    }

    void clear() {
        size = 0;
    }

    void add(int code, int step) {
        if (size == codes.length) {
            if (size >= Characters.MOST) {
                throw Characters.tooLong();
            }
            codes = Arrays.copyOf(codes, 2 * size);
            steps = Arrays.copyOf(steps, 2 * size);
        }
        codes[size] = code;
        steps[size++] = step;
    }

    /** Puts the new text in the place of the old one. */
    void apply(Characters text) {
        text.begin();
        int at = 0;
        for (int i = 0; i < size; i++) {
            boolean more = steps[i] > 0;
            text.put(codes[i], Math.min(more ? at - 1 : at, text.size - 1));
            at += more ? 0 : 1 - steps[i];
        }
        text.end();
    }
}
