package dev.fovea.internal.backend;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/**
 * Which page of a cache holds which tokens of which sequence. A page is shared by as many sequences as refer to
 * it, and copied before one of several writes to it. Pages may be kept after their sequences, until their room is needed.
 * Where there are as many pages as all sequences at full length need without sharing, there is always a free one. Allocates
 * nothing once made.
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
    private final int step;
    private final Tensor[] rows;
    private final int[] held;
    private final int[] references;
    private final int[] free;
    private int freeCount;
    /** Null where nothing is kept. */
    private PrefixTree kept;

    /** All pages free, as many as all sequences at full length need. */
    public PageTable(Arena arena, int sequences, int pagesEach) {
        this(arena, sequences, pagesEach, Math.multiplyExact(sequences, pagesEach), 1);
    }

    /**
     * All pages free.
     *
     * @param step what a page counts for in the {@link #table}, which names the pages {@code 0, step, 2 · step, …}
     */
    public PageTable(Arena arena, int sequences, int pagesEach, int count, int step) {
        this.step = step;
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

    /** Pages that sequences can be given: free ones, and those that are kept and nobody else refers to. */
    public int available() {
        return freeCount + (kept == null ? 0 : kept.removable(references));
    }

    /** The most pages that {@link #reserve} takes for as many tokens. */
    public int missing(int sequence, int length, int tokens) {
        int missing = 0;
        for (int at = length / PAGE_KEYS; tokens > 0 && at * (long) PAGE_KEYS < (long) length + tokens; at++) {
            missing += at >= held[sequence] || references[get(sequence, at)] > 1 ? 1 : 0;
        }
        return missing;
    }

    /**
     * Keeps the pages of a sequence's first tokens. Where others with the same tokens are kept, the sequence goes on with
     * those.
     *
     * @param tokens [≥ count], which the sequence holds
     * @throws IllegalArgumentException if a page is kept already, with other tokens
     */
    public void keep(int sequence, int[] tokens, int count) {
        if (kept == null) {
            kept = new PrefixTree(free.length);
        }
        int parent = kept.root;
        for (int from = 0; from < count; from += PAGE_KEYS) {
            int length = Math.min(PAGE_KEYS, count - from);
            int page = get(sequence, from / PAGE_KEYS);
            int same = kept.find(parent, tokens, from, count);
            if (same >= 0 && kept.common() == length) {
                if (length == PAGE_KEYS && same != page) {
                    if (references[page] > 1) {
                        return; // who refers to a page that is kept refers to those before it
                    }
                    references[same]++;
                    put(sequence, from / PAGE_KEYS, same);
                    drop(page);
                }
                kept.touch(same);
                parent = same;
            } else {
                if (kept.has(page)) {
                    if (!kept.isBeginning(parent, page, tokens, from, count)) {
                        throw new IllegalArgumentException("the tokens from " + from + " of sequence " + sequence
                                + " are kept already, and as others");
                    }
                    kept.remove(page); // it has more tokens now
                    references[page]--;
                } else if (same >= 0 && kept.common() == kept.length(same)) {
                    kept.remove(same); // what it holds is in this one
                    drop(same);
                }
                kept.add(parent, page, tokens, from, length);
                references[page]++;
                parent = page;
            }
        }
    }

    /**
     * Lets a sequence refer to what is kept of some tokens, in place of its own pages.
     *
     * @return how many of the tokens it holds now
     */
    public int adopt(int sequence, int[] tokens, int count) {
        release(sequence, 0);
        int done = 0;
        int parent = kept == null ? -1 : kept.root;
        while (parent >= 0 && done < count && done % PAGE_KEYS == 0) {
            parent = kept.find(parent, tokens, done, count);
            if (parent >= 0) {
                done += kept.common();
                kept.touch(parent);
                references[parent]++;
                put(sequence, held[sequence]++, parent);
            }
        }
        return done;
    }

    /** Keeps nothing any more. */
    public void forget() {
        if (kept != null) {
            for (int page = kept.oldest(references); page >= 0; page = kept.oldest(references)) {
                evict(page);
            }
        }
    }

    private void evict(int page) {
        kept.remove(page);
        drop(page);
    }

    private void drop(int page) {
        if (--references[page] == 0) {
            free[freeCount++] = page;
        }
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
                if (references[shared] == 2 && freeCount == 0 && kept != null && kept.has(shared)
                        && kept.oldest(references) < 0) {
                    evict(shared); // there is no room for it beside the sequence
                    continue;
                }
                int own = take();
                copy.copy(shared, own);
                references[shared]--;
                put(sequence, at, own);
            }
        }
    }

    /** The page of a sequence's tokens from {@code index · 128} on, which it holds. */
    public int page(int sequence, int index) {
        return get(sequence, index);
    }

    /** Gives back the pages that a sequence needs no more at this length. */
    public void release(int sequence, int length) {
        int needed = (int) (((long) length + PAGE_KEYS - 1) / PAGE_KEYS);
        while (held[sequence] > needed) {
            drop(get(sequence, --held[sequence]));
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
        if (freeCount == 0) {
            evict(kept.oldest(references));
        }
        int page = free[--freeCount];
        references[page] = 1;
        return page;
    }

    private int get(int sequence, int at) {
        return table.segment().getAtIndex(ValueLayout.JAVA_INT, sequence * table.stride(0) + at) / step;
    }

    private void put(int sequence, int at, int page) {
        table.segment().setAtIndex(ValueLayout.JAVA_INT, sequence * table.stride(0) + at, page * step);
    }
}
