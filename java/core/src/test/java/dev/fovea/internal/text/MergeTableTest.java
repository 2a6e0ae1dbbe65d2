package dev.fovea.internal.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MergeTableTest {
    /** The inverse of 0x9E3779B97F4A7C15 modulo 2 to the 64. */
    private static final long INVERSE = 0xF1DE83E19937733DL;

    /** They would all be in one place, if pairs were hashed by a product that anyone knows. */
    @Test
    @Timeout(10)
    void shouldTakePairsOfAHostileFile() {
        MergeTable table = new MergeTable();
        int[][] pairs = new int[200_000][];
        int drawn = 0;
        for (int count = 0; count < pairs.length;) {
            long half = Integer.toUnsignedLong(++drawn * 0x9E3779B1);
            long pair = (half << 32 | half) * INVERSE - 1;
            int first = (int) (pair >>> 32);
            int second = (int) pair;
            if (first >= 0 && second >= 0) {
                pairs[count] = new int[] {first, second};
                table.add(first, second, count++);
            }
        }
        for (int i = 0; i < pairs.length; i++) {
            assertEquals(i, table.merged(table.rank(pairs[i][0], pairs[i][1])));
        }
    }
}
