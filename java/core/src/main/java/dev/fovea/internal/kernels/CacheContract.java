package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.attention.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.Objects;

/** What {@link Kernels#cacheAppend} demands of its arguments, and attention of the pages; see {@link Contract}. */
final class CacheContract {
    private CacheContract() {}

    static void append(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        Expect.count("sequences", sequences);
        int total = Expect.offsets("offsets", sequences, offsets);
        int longest = AttentionContract.longest(sequences, offsets);
        target(keyPages, valuePages);
        int kvHeads = (int) keyPages.size(1);
        int headDim = (int) keyPages.size(3);
        int valueDim = (int) valuePages.size(3);
        Expect.floating("k", k);
        AttentionContract.tokens("k", k, sequences, total, longest, "kv_heads", kvHeads, "head_dim", headDim);
        Expect.floating("v", v);
        Expect.dtype("v", v, k.dtype());
        AttentionContract.tokens("v", v, sequences, total, longest, "kv_heads", kvHeads, "value_dim", valueDim);
        if (rope != null && rope.dim() > headDim) {
            throw new IllegalArgumentException(
                    "expected RoPE on at most head_dim " + headDim + " elements, got " + rope.dim());
        }
        Expect.readable("lengths", lengths, DType.I32, 1);
        Expect.room("lengths", sequences, lengths.size(0), "lengths");
        Expect.contiguous("lengths", lengths);
        pageTable(sequences, pages);
        written(sequences, rope, offsets, lengths, pages, (int) keyPages.size(0));
        int rows = k.rank() == 3 ? total : sequences;
        inputs(sequences, rope, k, v, rows, offsets, lengths, pages, "key_pages", keyPages);
        inputs(sequences, rope, k, v, rows, offsets, lengths, pages, "value_pages", valuePages);
        Expect.disjoint("key_pages", keyPages, keyPages.size(0), "value_pages", valuePages, valuePages.size(0));
    }

    /** Pages that may be written; heads and dims are theirs to say. */
    private static void target(Tensor keyPages, Tensor valuePages) {
        Expect.floating("key_pages", keyPages);
        Expect.writable("key_pages", keyPages, keyPages.dtype());
        Expect.rank("key_pages", keyPages, 4, 4);
        Expect.floating("value_pages", valuePages);
        Expect.writable("value_pages", valuePages, keyPages.dtype());
        Expect.rank("value_pages", valuePages, 4, 4);
        int kvHeads = Expect.extent("kv_heads", keyPages, 1, "key_pages");
        int headDim = Expect.extent("head_dim", keyPages, 3, "key_pages");
        int valueDim = Expect.extent("value_dim", valuePages, 3, "value_pages");
        pages(keyPages, valuePages, kvHeads, headDim, valueDim);
    }

    /** Keys [pages, kv_heads, 128, head_dim] and values [pages, kv_heads, 128, value_dim], dense. */
    static void pages(Tensor keys, Tensor values, int kvHeads, int headDim, int valueDim) {
        page("key_pages", keys, kvHeads, "head_dim", headDim);
        page("value_pages", values, kvHeads, "value_dim", valueDim);
        Expect.extent("pages", keys, 0, "key_pages");
        Expect.size("pages", keys.size(0), values.size(0), "value_pages");
    }

    private static void page(String name, Tensor pages, int kvHeads, String dimName, int dim) {
        Expect.rank(name, pages, 4, 4);
        Expect.size("kv_heads", kvHeads, pages.size(1), name);
        Expect.size("keys", Kernels.PAGE_KEYS, pages.size(2), name);
        Expect.size(dimName, dim, pages.size(3), name);
        Expect.dense(name, pages);
    }

    /** I32 [≥ sequences, blocks]. */
    static void pageTable(int sequences, Tensor pages) {
        Objects.requireNonNull(pages, "pages");
        Expect.readable("pages", pages, DType.I32, 2);
        Expect.room("sequences", sequences, pages.size(0), "pages");
        Expect.contiguous("pages", pages);
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
        long blocks = (end + Kernels.PAGE_KEYS - 1) / Kernels.PAGE_KEYS;
        Expect.room("columns", blocks, pages.size(1), "pages");
        // Also of a single row: the C core takes the stride for the width of the table.
        Expect.atLeast("stride of pages", blocks, pages.stride(0));
        for (long block = begin / Kernels.PAGE_KEYS; block < blocks; block++) {
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
            Expect.count("lengths", held);
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
        Expect.disjoint("k", k, rows, name, output, outRows);
        Expect.disjoint("v", v, v.rank() == k.rank() ? rows : v.size(0), name, output, outRows);
        Expect.disjoint("offsets", offsets, sequences + 1L, name, output, outRows);
        Expect.disjoint("lengths", lengths, sequences, name, output, outRows);
        Expect.disjoint("pages", pages, pages.size(0), name, output, outRows);
        if (rope != null) {
            Expect.disjoint("rope", rope.table(), rope.positions(), name, output, outRows);
        }
    }
}
