package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;

/** The key/value cache of the plain Java backend: writes tokens into pages. */
final class JavaCache {
    private final HeadRows source = new HeadRows();
    private final FloatRows floats = new FloatRows();
    private float[] row = {};

    void append(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        source.open(k, null, rope);
        copy(sequences, offsets, lengths, pages, keyPages);
        source.open(v, null, null);
        copy(sequences, offsets, lengths, pages, valuePages);
    }

    private void copy(int sequences, Tensor offsets, Tensor lengths, Tensor pages, Tensor target) {
        int dim = (int) CachePages.dim(target);
        floats.reserve(dim);
        if (row.length < dim) {
            row = new float[dim];
        }
        for (int s = 0; s < sequences; s++) {
            int start = offsets.segment().getAtIndex(JAVA_INT, s);
            int tokens = offsets.segment().getAtIndex(JAVA_INT, s + 1) - start;
            int held = lengths.segment().getAtIndex(JAVA_INT, s);
            for (int head = 0; head < target.size(1); head++) {
                source.select(s, start, head);
                for (int t = 0; t < tokens; t++) {
                    source.load(t, held + t, row);
                    floats.write(row, dim, target, element(pages, s, head, held + t, target));
                }
            }
        }
    }

    private static long element(Tensor pages, int sequence, int head, int token, Tensor target) {
        long page = pages.segment().getAtIndex(JAVA_INT, sequence * pages.stride(0) + token / PageTable.PAGE_KEYS);
        return page * target.stride(0) + head * target.stride(1) + token % PageTable.PAGE_KEYS * target.stride(2);
    }
}
