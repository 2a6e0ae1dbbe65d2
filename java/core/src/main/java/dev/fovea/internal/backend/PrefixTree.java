package dev.fovea.internal.backend;

import java.util.Arrays;

/**
 * Which pages of a cache are kept after their sequences, by the tokens that they hold and all tokens before. A node is a
 * page; only full pages have children:
 *
 * <pre>
 *   page 3 [128 tokens] ── page 0 [128 tokens] ── page 5 [40 tokens]
 *                      └── page 1 [77 tokens]
 * </pre>
 *
 * <p>Allocates nothing once made.
 */
final class PrefixTree {
    private static final int PAGE = PageTable.PAGE_KEYS;
    private static final int NONE = -1;

    /** The parent of the first pages. */
    final int root;

    private final int[] tokens;
    /** Tokens of each page; 0 for one that is not in the tree. */
    private final int[] lengths;
    private final int[] parents;
    private final int[] children;
    private final int[] next;
    private final long[] used;
    private final boolean[] needed;
    private long clock;
    private int common;

    PrefixTree(int pages) {
        root = pages;
        tokens = new int[Math.multiplyExact(pages, PAGE)];
        lengths = new int[pages];
        parents = new int[pages];
        children = new int[pages + 1];
        next = new int[pages];
        used = new long[pages];
        needed = new boolean[pages];
        Arrays.fill(children, NONE);
    }

    boolean has(int page) {
        return lengths[page] > 0;
    }

    /** Whether a page that is not full stands under a parent and has the first of the tokens. */
    boolean isBeginning(int parent, int page, int[] wanted, int from, int to) {
        int end = Math.min(to, from + lengths[page]);
        return parents[page] == parent && lengths[page] < PAGE && end - from == lengths[page]
                && Arrays.mismatch(tokens, page * PAGE, page * PAGE + lengths[page], wanted, from, end) < 0;
    }

    int length(int page) {
        return lengths[page];
    }

    /** How many tokens the page that was found last has in common with those that were looked for. */
    int common() {
        return common;
    }

    /** The child that begins with most of the tokens; −1 if none begins with any. */
    int find(int parent, int[] wanted, int from, int to) {
        int best = NONE;
        common = 0;
        for (int child = children[parent]; child != NONE; child = next[child]) {
            int same = Arrays.mismatch(tokens, child * PAGE, child * PAGE + lengths[child], wanted, from,
                    Math.min(to, from + PAGE));
            int count = same < 0 ? lengths[child] : same;
            if (count > common) {
                best = child;
                common = count;
            }
        }
        return best;
    }

    /** Keeps it from being the least recently used. */
    void touch(int page) {
        used[page] = ++clock;
    }

    void add(int parent, int page, int[] given, int from, int count) {
        System.arraycopy(given, from, tokens, page * PAGE, count);
        lengths[page] = count;
        parents[page] = parent;
        children[page] = NONE;
        next[page] = children[parent];
        children[parent] = page;
        touch(page);
    }

    /** Takes out a page without children. */
    void remove(int page) {
        int parent = parents[page];
        if (children[parent] == page) {
            children[parent] = next[page];
        } else {
            int before = children[parent];
            while (next[before] != page) {
                before = next[before];
            }
            next[before] = next[page];
        }
        lengths[page] = 0;
    }

    /** The page that was not used for longest, of those without children that nobody else refers to; −1 for none. */
    int oldest(int[] references) {
        int oldest = NONE;
        for (int page = 0; page < lengths.length; page++) {
            if (lengths[page] > 0 && references[page] == 1 && children[page] == NONE
                    && (oldest < 0 || used[page] < used[oldest])) {
                oldest = page;
            }
        }
        return oldest;
    }

    /** Pages that can be taken out, one after the other, because nobody else refers to them or to what is behind them. */
    int removable(int[] references) {
        Arrays.fill(needed, false);
        int count = 0;
        for (int page = 0; page < lengths.length; page++) {
            if (lengths[page] > 0) {
                count++;
                for (int at = page; references[page] > 1 && at != root && !needed[at]; at = parents[at]) {
                    needed[at] = true;
                }
            }
        }
        for (boolean one : needed) {
            count -= one ? 1 : 0;
        }
        return count;
    }
}
