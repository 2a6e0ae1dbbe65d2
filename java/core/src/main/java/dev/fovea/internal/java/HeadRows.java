package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * The vectors of one head of one sequence, token by token, as floats, turned to their positions: read from
 * [tokens, heads, dim], from [batch, tokens, heads, dim], or from pages [pages, heads, 128, dim].
 *
 * <p>Queries, keys, and keys on their way into a cache are all turned here, so that they agree in every bit.
 */
final class HeadRows {
    private final FloatRows floats = new FloatRows();
    private float[] angles = {};
    private Tensor tensor;
    private Tensor pages;
    private Rope rope;
    private int dim;
    private long first;
    private long stride;
    private long pageRow;
    private int head;

    /**
     * Reads from another tensor.
     *
     * @param pages the page table, or null for a tensor of tokens
     * @param rope turns the vectors, or null
     */
    void open(Tensor tensor, Tensor pages, Rope rope) {
        this.tensor = tensor;
        this.pages = pages;
        this.rope = rope;
        dim = (int) (pages == null ? tensor.size(tensor.rank() - 1) : CachePages.dim(tensor));
        floats.reserve(dim);
        if (rope != null && angles.length < rope.dim()) {
            angles = new float[rope.dim()];
        }
    }

    /** Goes to a head of a sequence; {@code start} is where the sequence begins among all tokens. */
    void select(int sequence, int start, int head) {
        this.head = head;
        if (pages != null) {
            pageRow = sequence * pages.stride(0);
        } else if (tensor.rank() == 3) {
            stride = tensor.stride(0);
            first = start * stride + head * tensor.stride(1);
        } else {
            stride = tensor.stride(1);
            first = sequence * tensor.stride(0) + head * tensor.stride(2);
        }
    }

    /** Reads the vector of a token, turned to {@code position}. */
    void load(int token, int position, float[] row) {
        floats.read(tensor, element(token), dim, row);
        if (rope != null) {
            turn(position, row);
        }
    }

    private long element(int token) {
        if (pages == null) {
            return first + token * stride;
        }
        long page = pages.segment().getAtIndex(JAVA_INT, pageRow + token / PageTable.PAGE_KEYS);
        return page * tensor.stride(0) + head * tensor.stride(1) + token % PageTable.PAGE_KEYS * tensor.stride(2);
    }

    private void turn(int position, float[] row) {
        int pairs = rope.dim() / 2;
        MemorySegment.copy(rope.table().segment(), JAVA_FLOAT, (long) position * rope.dim() * Float.BYTES, angles, 0,
                rope.dim());
        if (rope.layout() == Rope.Layout.HALF) {
            for (int i = 0; i < pairs; i++) {
                float x = row[i];
                float y = row[i + pairs];
                row[i] = x * angles[i] - y * angles[i + pairs];
                row[i + pairs] = y * angles[i] + x * angles[i + pairs];
            }
        } else {
            for (int i = 0; i < pairs; i++) {
                float x = row[2 * i];
                float y = row[2 * i + 1];
                row[2 * i] = x * angles[i] - y * angles[i + pairs];
                row[2 * i + 1] = y * angles[i] + x * angles[i + pairs];
            }
        }
    }
}
