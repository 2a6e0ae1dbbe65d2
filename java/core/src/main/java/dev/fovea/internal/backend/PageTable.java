package dev.fovea.internal.backend;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/**
 * Which page of a cache holds which tokens of which sequence. A page is shared by as many sequences as refer to
 * it, and copied before one of several writes to it. There are as many pages as all sequences at full
 * length need without sharing, so there is always a free one. Allocates nothing once made.
 */
public final class PageTable {
    /** Tokens to a page: the key block of attention. */
    public static final int PAGE_KEYS = 128;

    /** Copies what a page holds, in all layers, to another. */
    public interface PageCopy {
        /** Copies page {@code from} to page {@code to}. */
        void copy(int from, int to);
    }

    private final Tensor table;
    private final Tensor[] rows;
    private final int[] held;
    private final int[] references;
    private final int[] free;
    private int freeCount;

    /** All pages free. */
    public PageTable(Arena arena, int sequences, int pagesEach) {
        int count = Math.multiplyExact(sequences, pagesEach);
        table = Tensor.allocate(arena, DType.I32, Shape.of(sequences, pagesEach));
        rows = new Tensor[sequences];
        for (int s = 0; s < sequences; s++) {
            long bytes = (long) pagesEach * Integer.BYTES;
            rows[s] = Tensor.of(table.segment().asSlice(s * bytes, bytes), DType.I32, Shape.of(1, pagesEach));
        }
        held = new int[sequences];
        references = new int[count];
        free = new int[count];
        freeCount = count;
        for (int i = 0; i < count; i++) {
            free[i] = count - 1 - i;
        }
    }

    /** Pages in all. */
    public int count() {
        return free.length;
    }

    /** I32 [sequences, pages each]. */
    public Tensor table() {
        return table;
    }

    /** The row of one sequence, I32 [1, pages each]. */
    public Tensor row(int sequence) {
        return rows[sequence];
    }

    /** Gives a sequence pages of its own for the tokens that come behind its first {@code length}. */
    public void reserve(int sequence, int length, int tokens, PageCopy copy) {
        if (tokens == 0) {
            return;
        }
        for (int at = length / PAGE_KEYS; at * (long) PAGE_KEYS < (long) length + tokens; at++) {
            if (at >= held[sequence]) {
                put(sequence, held[sequence]++, take());
            } else if (references[get(sequence, at)] > 1) {
                int shared = get(sequence, at);
                int own = take();
                copy.copy(shared, own);
                references[shared]--;
                put(sequence, at, own);
            }
        }
    }

    /** Gives back the pages that a sequence needs no more at this length. */
    public void release(int sequence, int length) {
        int needed = (int) (((long) length + PAGE_KEYS - 1) / PAGE_KEYS);
        while (held[sequence] > needed) {
            int page = get(sequence, --held[sequence]);
            if (--references[page] == 0) {
                free[freeCount++] = page;
            }
        }
    }

    /** Lets one sequence refer to the pages of another, in place of its own. */
    public void share(int from, int to) {
        release(to, 0);
        for (int at = 0; at < held[from]; at++) {
            put(to, at, get(from, at));
            references[get(from, at)]++;
        }
        held[to] = held[from];
    }

    private int take() {
        int page = free[--freeCount];
        references[page] = 1;
        return page;
    }

    private int get(int sequence, int at) {
        return table.segment().getAtIndex(ValueLayout.JAVA_INT, sequence * table.stride(0) + at);
    }

    private void put(int sequence, int at, int page) {
        table.segment().setAtIndex(ValueLayout.JAVA_INT, sequence * table.stride(0) + at, page);
    }
}
