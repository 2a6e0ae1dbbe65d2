package dev.fovea.vectors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.fovea.internal.backend.Require;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Dot products and cosines of bits that stand for 1 and −1, from the Hamming distance h: {@code dimension − 2 h}, and
 * that divided by the dimension. In Java, 64 components at a time.
 */
final class BitScorer implements Scorer {
    private static final int BLOCK_ROWS = 1024;

    private final VectorRows rows;
    private final int bytes;
    private final int words;
    private final float scale;
    private final int lastMask;
    private final MemorySegment queries;
    private final MemorySegment scores;
    private int taken = 1;

    BitScorer(Arena arena, VectorRows rows, boolean cosine) {
        this.rows = rows;
        this.bytes = (int) rows.type().bytes(rows.dimension());
        this.words = rows.dimension() / Long.SIZE;
        this.scale = cosine ? rows.dimension() : 1;
        int rest = rows.dimension() % Byte.SIZE;
        this.lastMask = rest == 0 ? 0xff : VectorPair.lastMask(rest);
        this.queries = arena.allocate((long) QUERIES * bytes, Long.BYTES);
        this.scores = arena.allocate(JAVA_FLOAT, (long) BLOCK_ROWS * QUERIES);
    }

    @Override
    public int blockRows() {
        return BLOCK_ROWS;
    }

    @Override
    public void take(int count, MemorySegment from, long at) {
        taken = count;
        MemorySegment.copy(from, at, queries, 0, (long) count * bytes);
    }

    @Override
    public MemorySegment score(int block) {
        MemorySegment vectors = rows.segment();
        Require.reachable("the vectors", vectors);
        long first = (long) block * BLOCK_ROWS;
        int count = (int) Math.min(BLOCK_ROWS, rows.count() - first);
        for (int row = 0; row < count; row++) {
            long at = (first + row) * bytes;
            for (int query = 0; query < taken; query++) {
                int product = rows.dimension() - 2 * distance(vectors, at, (long) query * bytes);
                scores.setAtIndex(JAVA_FLOAT, (long) row * taken + query, product / scale);
            }
        }
        return scores;
    }

    private int distance(MemorySegment vectors, long at, long query) {
        int distance = 0;
        for (int i = 0; i < words; i++) {
            long offset = (long) i * Long.BYTES;
            distance += Long.bitCount(vectors.get(JAVA_LONG_UNALIGNED, at + offset)
                    ^ queries.get(JAVA_LONG_UNALIGNED, query + offset));
        }
        for (int i = words * Long.BYTES; i < bytes; i++) {
            int mask = i == bytes - 1 ? lastMask : 0xff;
            distance += Integer.bitCount((vectors.get(JAVA_BYTE, at + i) ^ queries.get(JAVA_BYTE, query + i)) & mask);
        }
        return distance;
    }
}
