package dev.fovea.internal.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.internal.backend.Require;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.Objects;

/** What {@link Kernels#cacheAppend} demands of its arguments, and attention of the pages; see {@link OpContract}. */
final class CacheContract {
    private CacheContract() {}

    static void append(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        Require.count("sequences", sequences);
        int total = Require.offsets("offsets", sequences, offsets);
        int longest = AttentionContract.longest(sequences, offsets);
        target(keyPages, valuePages);
        int kvHeads = (int) keyPages.size(1);
        int headDim = (int) CachePages.dim(keyPages);
        int valueDim = (int) CachePages.dim(valuePages);
        Require.floating("k", k);
        AttentionContract.tokens("k", k, sequences, total, longest, "kv_heads", kvHeads, "head_dim", headDim);
        Require.floating("v", v);
        Require.dtype("v", v, k.dtype());
        AttentionContract.tokens("v", v, sequences, total, longest, "kv_heads", kvHeads, "value_dim", valueDim);
        turned(rope, headDim);
        Require.readable("lengths", lengths, DType.I32, 1);
        Require.room("lengths", sequences, lengths.size(0), "lengths");
        Require.contiguous("lengths", lengths);
        pageTable(sequences, pages);
        written(sequences, rope, offsets, lengths, pages, (int) keyPages.size(0));
        int rows = k.rank() == 3 ? total : sequences;
        inputs(sequences, rope, k, v, rows, offsets, lengths, pages, "key_pages", keyPages);
        inputs(sequences, rope, k, v, rows, offsets, lengths, pages, "value_pages", valuePages);
        Require.disjoint("key_pages", keyPages, keyPages.size(0), "value_pages", valuePages, valuePages.size(0));
    }

    /** What of it does not depend on a batch, for tensors of tokens one after the other. */
    static void layout(int tokens, Rope rope, Tensor k, Tensor v, Tensor pages, Tensor keyPages, Tensor valuePages) {
        target(keyPages, valuePages);
        int kvHeads = (int) keyPages.size(1);
        Require.floating("k", k);
        AttentionContract.tokens("k", k, 1, tokens, tokens, "kv_heads", kvHeads, "head_dim", (int) CachePages.dim(keyPages));
        Require.floating("v", v);
        Require.dtype("v", v, k.dtype());
        AttentionContract.tokens("v", v, 1, tokens, tokens, "kv_heads", kvHeads, "value_dim", (int) CachePages.dim(valuePages));
        turned(rope, (int) CachePages.dim(keyPages));
        pageTable((int) pages.size(0), pages);
    }

    private static void turned(Rope rope, int headDim) {
        if (rope != null && rope.dim() > headDim) {
            throw new IllegalArgumentException(
                    "expected RoPE on at most head_dim " + headDim + " elements, got " + rope.dim());
        }
    }

    /** Pages that may be written; heads and dims are theirs to say. */
    private static void target(Tensor keyPages, Tensor valuePages) {
        cached("key_pages", keyPages);
        Require.writable("key_pages", keyPages, keyPages.dtype());
        Require.rank("key_pages", keyPages, 4, 4);
        cached("value_pages", valuePages);
        Require.writable("value_pages", valuePages, keyPages.dtype());
        Require.rank("value_pages", valuePages, 4, 4);
        int kvHeads = Require.extent("kv_heads", keyPages, 1, "key_pages");
        int headDim = Require.extent("head_dim", CachePages.dim(keyPages), "key_pages");
        int valueDim = Require.extent("value_dim", CachePages.dim(valuePages), "value_pages");
        pages(keyPages, valuePages, kvHeads, headDim, valueDim);
    }

    /** Memory that this thread may read, of a type of pages. */
    static void cached(String name, Tensor pages) {
        Objects.requireNonNull(pages, name);
        if (!CachePages.areBlocks(pages)) {
            Require.floating(name, pages);
        } else {
            Require.readable(name, pages, DType.U8);
            Require.aligned(name, pages.segment(), Short.BYTES);
        }
    }

    /** Keys [pages, kv_heads, 128, head_dim] and values [pages, kv_heads, 128, value_dim], dense. */
    static void pages(Tensor keys, Tensor values, int kvHeads, int headDim, int valueDim) {
        page("key_pages", keys, kvHeads, "head_dim", headDim);
        page("value_pages", values, kvHeads, "value_dim", valueDim);
        Require.extent("pages", keys, 0, "key_pages");
        Require.size("pages", keys.size(0), values.size(0), "value_pages");
    }

    private static void page(String name, Tensor pages, int kvHeads, String dimName, int dim) {
        Require.rank(name, pages, 4, 4);
        Require.size("kv_heads", kvHeads, pages.size(1), name);
        Require.size("keys", PageTable.PAGE_KEYS, pages.size(2), name);
        Require.size(dimName, dim, CachePages.dim(pages), name);
        Require.dense(name, pages);
    }

    /** I32 [≥ sequences, blocks]. */
    static void pageTable(int sequences, Tensor pages) {
        Objects.requireNonNull(pages, "pages");
        Require.readable("pages", pages, DType.I32, 2);
        Require.room("sequences", sequences, pages.size(0), "pages");
        Require.contiguous("pages", pages);
        if (pages.stride(0) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("expected stride of at most " + Integer.MAX_VALUE
                    + " in dimension 0, got " + pages.stride(0) + " in pages");
        }
    }

    /** The pages of a sequence's keys from {@code begin} to before {@code end}, each among {@code count}. */
    static void pageNumbers(Tensor pages, int sequence, long begin, long end, int count) {
        if (begin == end) {
            return;
        }
        long blocks = (end + PageTable.PAGE_KEYS - 1) / PageTable.PAGE_KEYS;
        Require.room("columns", blocks, pages.size(1), "pages");
        // Also of a single row: the C core takes the stride for the width of the table.
        Require.atLeast("stride of pages", blocks, pages.stride(0));
        for (long block = begin / PageTable.PAGE_KEYS; block < blocks; block++) {
            int page = pages.segment().getAtIndex(JAVA_INT, sequence * pages.stride(0) + block);
            if (page < 0 || page >= count) {
                throw new IllegalArgumentException("page " + page + " in column " + block + " of sequence " + sequence
                        + " is outside the " + count + " pages");
            }
        }
    }

    private static void written(int sequences, Rope rope, Tensor offsets, Tensor lengths, Tensor pages, int count) {
        for (int s = 0; s < sequences; s++) {
            int held = lengths.segment().getAtIndex(JAVA_INT, s);
            Require.count("lengths", held);
            long end = (long) held + AttentionContract.length(offsets, s);
            if (end == held) {
                continue;
            }
            if (end > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("expected at most " + Integer.MAX_VALUE + " tokens, got " + end
                        + " in sequence " + s);
            }
            if (rope != null) {
                AttentionContract.position("key", s, end - 1, rope.positions());
            }
            pageNumbers(pages, s, held, end, count);
        }
    }

    /** That pages overlap no input. */
    private static void inputs(int sequences, Rope rope, Tensor k, Tensor v, int rows, Tensor offsets, Tensor lengths,
            Tensor pages, String name, Tensor output) {
        long outRows = output.size(0);
        Require.disjoint("k", k, rows, name, output, outRows);
        Require.disjoint("v", v, v.rank() == k.rank() ? rows : v.size(0), name, output, outRows);
        Require.disjoint("offsets", offsets, sequences + 1L, name, output, outRows);
        Require.disjoint("lengths", lengths, sequences, name, output, outRows);
        Require.disjoint("pages", pages, pages.size(0), name, output, outRows);
        if (rope != null) {
            Require.disjoint("rope", rope.table(), rope.positions(), name, output, outRows);
        }
    }
}
