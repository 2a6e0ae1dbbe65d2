package dev.fovea.internal.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.Require;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.Objects;

/** What {@link Kernels#attention} demands of its arguments; see {@link OpContract}. */
final class AttentionContract {
    private static final int SCRATCH_ALIGNMENT = 64;

    private AttentionContract() {}

    static void attention(int sequences, AttentionSpec spec, AttentionOperands tensors, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch, long scratchBytes) {
        Objects.requireNonNull(spec, "spec");
        Objects.requireNonNull(tensors, "operands");
        Tensor k = tensors.k();
        Tensor v = tensors.v();
        Require.count("sequences", sequences);
        int queries = Require.offsets("q_offsets", sequences, qOffsets);
        int keys = Require.offsets("kv_offsets", sequences, kvOffsets);
        int longestQueries = longest(sequences, qOffsets);
        int longestKeys = longest(sequences, kvOffsets);
        Tensor q = tensors.q();
        Require.floating("q", q);
        tokens("q", q, sequences, queries, longestQueries, "heads", spec.heads(), "head_dim", spec.headDim());
        keys(k, v, pages);
        if (pages == null) {
            tokens("k", k, sequences, keys, longestKeys, "kv_heads", spec.kvHeads(), "head_dim", spec.headDim());
            tokens("v", v, sequences, keys, longestKeys, "kv_heads", spec.kvHeads(), "value_dim", spec.valueDim());
        } else {
            CacheContract.pages(k, v, spec.kvHeads(), spec.headDim(), spec.valueDim());
            pageTable(sequences, kvOffsets, pages, (int) k.size(0));
        }
        positions(sequences, spec, qOffsets, kvOffsets, pages == null);
        mask("mask", tensors.mask(), DType.U8, sequences, spec.heads(), longestQueries, longestKeys);
        if (tensors.bias() != null && tensors.bias().rank() == 3) {
            biasRows(tensors.bias(), spec.heads(), queries, longestKeys);
        } else {
            mask("bias", tensors.bias(), DType.F32, sequences, spec.heads(), longestQueries, longestKeys);
        }
        out(tensors.out(), sequences, spec, queries, longestQueries);
        lse(tensors.lse(), sequences, spec.heads(), queries, longestQueries);
        weights(tensors.weights(), sequences, spec.heads(), queries, longestQueries, longestKeys);
        scratch(scratch, scratchBytes);
        overlaps(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, scratch, scratchBytes);
    }

    /** What of it does not depend on a batch, for tensors of tokens one after the other; {@code pages} may be null. */
    static void layout(int tokens, AttentionSpec spec, AttentionOperands operands, Tensor pages, Tensor scratch) {
        Tensor q = operands.q();
        Tensor k = operands.k();
        Tensor v = operands.v();
        Require.floating("q", q);
        tokens("q", q, 1, tokens, tokens, "heads", spec.heads(), "head_dim", spec.headDim());
        keys(k, v, pages);
        if (pages == null) {
            tokens("k", k, 1, tokens, tokens, "kv_heads", spec.kvHeads(), "head_dim", spec.headDim());
            tokens("v", v, 1, tokens, tokens, "kv_heads", spec.kvHeads(), "value_dim", spec.valueDim());
        } else {
            CacheContract.pages(k, v, spec.kvHeads(), spec.headDim(), spec.valueDim());
        }
        if (operands.bias() != null) {
            biasRows(operands.bias(), spec.heads(), tokens, 1);
            Require.disjoint("bias", operands.bias(), tokens, "out", operands.out(), tokens);
        }
        out(operands.out(), 1, spec, tokens, tokens);
        scratch(scratch, 1);
        Require.disjoint("q", q, tokens, "out", operands.out(), tokens);
        Require.disjoint("k", k, keyRows(k, 1, tokens, pages), "out", operands.out(), tokens);
        Require.disjoint("v", v, keyRows(v, 1, tokens, pages), "out", operands.out(), tokens);
    }

    private static void keys(Tensor k, Tensor v, Tensor pages) {
        if (pages == null) {
            Require.floating("k", k);
            Require.floating("v", v);
        } else {
            CacheContract.cached("k", k);
            CacheContract.cached("v", v);
        }
        Require.dtype("v", v, k.dtype());
    }

    /** The most tokens that a sequence has. */
    static int longest(int sequences, Tensor offsets) {
        int longest = 0;
        for (int s = 0; s < sequences; s++) {
            longest = Math.max(longest, length(offsets, s));
        }
        return longest;
    }

    static int length(Tensor offsets, int sequence) {
        return offsets.segment().getAtIndex(JAVA_INT, sequence + 1) - offsets.segment().getAtIndex(JAVA_INT, sequence);
    }

    /** [tokens, heads, dim], or [batch, tokens, heads, dim]. */
    static void tokens(String name, Tensor tensor, int sequences, int total, int longest, String headsName, int heads,
            String dimName, int dim) {
        Require.rank(name, tensor, 3, 4);
        boolean ragged = tensor.rank() == 3;
        int used = ragged ? total : longest;
        int token = ragged ? 0 : 1;
        if (!ragged) {
            Require.room("sequences", sequences, tensor.size(0), name);
        }
        Require.room("tokens", used, tensor.size(token), name);
        Require.size(headsName, heads, tensor.size(token + 1), name);
        Require.size(dimName, dim, tensor.size(token + 2), name);
        Require.contiguous(name, tensor);
        if (used > 0) {
            Require.spaced(name, tensor, token, used, dim);
            Require.spaced(name, tensor, token + 1, heads, dim);
            // The C core takes a stride of 0 for sequences that follow each other.
            Require.spaced(name, tensor, 0, ragged ? 1 : sequences, 1);
        }
    }

    private static void pageTable(int sequences, Tensor kvOffsets, Tensor pages, int count) {
        CacheContract.pageTable(sequences, pages);
        for (int s = 0; s < sequences; s++) {
            CacheContract.pageNumbers(pages, s, 0, length(kvOffsets, s), count);
        }
    }

    /** Every position that RoPE turns to lies in its table. */
    private static void positions(int sequences, AttentionSpec spec, Tensor qOffsets, Tensor kvOffsets,
            boolean turnsKeys) {
        if (spec.rope() == null) {
            return;
        }
        int positions = spec.rope().positions();
        for (int s = 0; s < sequences; s++) {
            int queries = length(qOffsets, s);
            int keys = length(kvOffsets, s);
            if (queries > 0) {
                position("query", s, spec.mask().diagonal(0, queries, keys), positions);
                position("query", s, spec.mask().diagonal(queries - 1, queries, keys), positions);
            }
            if (turnsKeys && keys > 0) {
                position("key", s, keys - 1, positions);
            }
        }
    }

    static void position(String what, int sequence, long position, int positions) {
        if (position < 0 || position >= positions) {
            throw new IllegalArgumentException("expected positions 0 to " + (positions - 1) + " of RoPE, got "
                    + position + " for a " + what + " of sequence " + sequence);
        }
    }

    /** [queries, keys] or [sequences, heads, queries, keys]: heads 1 or all, the others 1 or enough; or null. */
    private static void mask(String name, Tensor mask, DType dtype, int sequences, int heads, int longestQueries,
            int longestKeys) {
        if (mask == null) {
            return;
        }
        Require.readable(name, mask, dtype);
        Require.rank(name, mask, 2, 4);
        int query = mask.rank() - 2;
        if (query == 2) {
            Require.broadcast("sequences", sequences, mask.size(0), name);
            if (mask.size(1) != 1) {
                Require.size("heads", heads, mask.size(1), name);
            }
        }
        Require.broadcast("queries", longestQueries, mask.size(query), name);
        Require.room("keys", longestKeys, mask.size(query + 1), name);
        Require.contiguous(name, mask);
    }

    /** [query tokens, heads, keys]. */
    private static void biasRows(Tensor bias, int heads, int queries, int longestKeys) {
        Require.readable("bias", bias, DType.F32, 3);
        Require.room("queries", queries, bias.size(0), "bias");
        Require.size("heads", heads, bias.size(1), "bias");
        Require.room("keys", longestKeys, bias.size(2), "bias");
        Require.contiguous("bias", bias);
        Require.apart("bias", bias, bias.size(2), queries, heads, 1);
    }

    private static void out(Tensor out, int sequences, AttentionSpec spec, int queries, int longestQueries) {
        Require.writable("out", out, DType.F32);
        tokens("out", out, sequences, queries, longestQueries, "heads", spec.heads(), "value_dim", spec.valueDim());
        if (out.rank() == 3) {
            Require.apart("out", out, spec.valueDim(), queries, spec.heads(), 1);
        } else {
            Require.apart("out", out, spec.valueDim(), sequences, longestQueries, spec.heads());
        }
    }

    /** [heads, query tokens] or [batch, heads, query tokens]; or null. */
    private static void lse(Tensor lse, int sequences, int heads, int queries, int longestQueries) {
        if (lse == null) {
            return;
        }
        Require.writable("lse", lse, DType.F32);
        Require.rank("lse", lse, 2, 3);
        perHead("lse", lse, lse.rank() == 2, 1, sequences, heads, queries, longestQueries);
    }

    /** [heads, query tokens, keys] or [batch, heads, query tokens, keys]; or null. */
    private static void weights(Tensor weights, int sequences, int heads, int queries, int longestQueries,
            int longestKeys) {
        if (weights == null) {
            return;
        }
        Require.writable("weights", weights, DType.F32);
        Require.rank("weights", weights, 3, 4);
        Require.room("keys", longestKeys, weights.size(weights.rank() - 1), "weights");
        Require.contiguous("weights", weights);
        perHead("weights", weights, weights.rank() == 3, longestKeys, sequences, heads, queries, longestQueries);
    }

    private static void perHead(String name, Tensor tensor, boolean ragged, int width, int sequences, int heads,
            int queries, int longestQueries) {
        int head = ragged ? 0 : 1;
        if (!ragged) {
            Require.room("sequences", sequences, tensor.size(0), name);
        }
        Require.size("heads", heads, tensor.size(head), name);
        Require.room("queries", ragged ? queries : longestQueries, tensor.size(head + 1), name);
        if (ragged) {
            Require.apart(name, tensor, width, heads, queries, 1);
        } else {
            Require.apart(name, tensor, width, sequences, heads, longestQueries);
        }
    }

    private static void scratch(Tensor scratch, long bytes) {
        Require.writable("scratch", scratch, DType.I8);
        Require.rank("scratch", scratch, 1, 1);
        Require.room("bytes", bytes, scratch.size(0), "scratch");
        Require.contiguous("scratch", scratch);
        Require.aligned("scratch", scratch.segment(), SCRATCH_ALIGNMENT);
    }

    private static void overlaps(int sequences, AttentionSpec spec, AttentionOperands tensors, Tensor k, Tensor v,
            Tensor qOffsets, Tensor kvOffsets, Tensor pages, Tensor scratch, long scratchBytes) {
        int queries = qOffsets.segment().getAtIndex(JAVA_INT, sequences);
        Tensor out = tensors.out();
        Tensor lse = tensors.lse();
        Tensor weights = tensors.weights();
        long outRows = out.rank() == 3 ? queries : sequences;
        long lseRows = lse == null || lse.rank() == 2 ? spec.heads() : sequences;
        long weightRows = weights == null || weights.rank() == 3 ? spec.heads() : sequences;
        inputs(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, "out", out, outRows);
        inputs(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, "scratch", scratch, scratchBytes);
        Require.disjoint("out", out, outRows, "scratch", scratch, scratchBytes);
        if (lse != null) {
            inputs(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, "lse", lse, lseRows);
            Require.disjoint("out", out, outRows, "lse", lse, lseRows);
            Require.disjoint("lse", lse, lseRows, "scratch", scratch, scratchBytes);
        }
        if (weights != null) {
            inputs(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, "weights", weights, weightRows);
            Require.disjoint("out", out, outRows, "weights", weights, weightRows);
            Require.disjoint("weights", weights, weightRows, "scratch", scratch, scratchBytes);
        }
        if (lse != null && weights != null) {
            Require.disjoint("lse", lse, lseRows, "weights", weights, weightRows);
        }
    }

    /** That an output overlaps no input. */
    private static void inputs(int sequences, AttentionSpec spec, AttentionOperands tensors, Tensor k, Tensor v,
            Tensor qOffsets, Tensor kvOffsets, Tensor pages, String name, Tensor output, long rows) {
        Tensor q = tensors.q();
        int queries = qOffsets.segment().getAtIndex(JAVA_INT, sequences);
        int keys = kvOffsets.segment().getAtIndex(JAVA_INT, sequences);
        Require.disjoint("q", q, q.rank() == 3 ? queries : sequences, name, output, rows);
        Require.disjoint("k", k, keyRows(k, sequences, keys, pages), name, output, rows);
        Require.disjoint("v", v, keyRows(v, sequences, keys, pages), name, output, rows);
        Require.disjoint("q_offsets", qOffsets, sequences + 1L, name, output, rows);
        Require.disjoint("kv_offsets", kvOffsets, sequences + 1L, name, output, rows);
        whole("pages", pages, name, output, rows);
        whole("mask", tensors.mask(), name, output, rows);
        whole("bias", tensors.bias(), name, output, rows);
        whole("alibi", spec.alibi() == null ? null : spec.alibi().slopes(), name, output, rows);
        whole("rope", spec.rope() == null ? null : spec.rope().table(), name, output, rows);
    }

    private static long keyRows(Tensor tensor, int sequences, int keys, Tensor pages) {
        if (pages != null) {
            return tensor.size(0);
        }
        return tensor.rank() == 3 ? keys : sequences;
    }

    private static void whole(String inputName, Tensor input, String name, Tensor output, long rows) {
        if (input != null) {
            Require.disjoint(inputName, input, input.size(0), name, output, rows);
        }
    }
}
