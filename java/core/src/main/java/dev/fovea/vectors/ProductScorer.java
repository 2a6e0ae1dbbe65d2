package dev.fovea.vectors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Dot products of floats or bytes on the kernels of a linear layer, whose weight is the queries: {@code scores = rows
 * queriesᵀ}. Each product is one chain over the components, so a vector has the same score in any place.
 *
 * <p>Floats are read where they lie. Bytes are widened a block at a time, as the table of an embedding is; for the cosine
 * a block is normalised.
 */
final class ProductScorer implements Scorer {
    /** Rows of a block that is read where it lies: enough to share out among threads. */
    private static final int READ_ROWS = 4096;

    /** Values of a block that is copied: 512 KB, which stay in the second-level cache. */
    private static final int COPIED_VALUES = 1 << 17;

    private final VectorRows rows;
    private final boolean cosine;
    private final Kernels kernels;
    private final int blockRows;

    /** Per block: F32 [rows, dimension] of floats, or else I8. */
    private final Tensor[] floats;
    private final Weight[] bytes;

    private final Tensor copy; // [blockRows, dimension], or null
    private final Tensor ids;
    private final Tensor wholeBlock;
    private final Tensor lastBlock;

    // Per number of queries, from 1 on.
    private final Tensor[] queries = new Tensor[QUERIES + 1]; // [queries, dimension]
    private final Weight[] parts = new Weight[QUERIES + 1];
    private final PackedLinear[] packed = new PackedLinear[QUERIES + 1];
    private final Tensor[] scores = new Tensor[QUERIES + 1]; // [blockRows, queries]
    private int taken = 1;

    ProductScorer(HostDevice device, Arena arena, VectorRows rows, boolean cosine) {
        this.rows = rows;
        this.cosine = cosine;
        this.kernels = device.checkedKernels(arena);
        boolean copies = cosine || rows.type() != VectorType.FLOAT;
        int most = copies ? Math.clamp(COPIED_VALUES / rows.dimension(), 16, READ_ROWS) : READ_ROWS;
        this.blockRows = Math.clamp(rows.count(), 1, most);
        int blocks = Math.ceilDiv(rows.count(), blockRows);
        boolean widens = rows.type() == VectorType.INT8;
        this.floats = new Tensor[widens ? 0 : blocks];
        this.bytes = new Weight[widens ? blocks : 0];
        if (widens) {
            Tensor all = Tensor.of(rows.segment(), DType.I8, Shape.of(rows.count(), rows.dimension()));
            Weight weight = Weight.quantized(all, new float[] {1}, new int[] {0}, 0);
            Arrays.setAll(bytes, block -> weight.rows((long) block * blockRows, rowsOf(block)));
        }
        Arrays.setAll(floats, this::floats);
        this.copy = copies ? f32(arena, blockRows, rows.dimension()) : null;
        this.ids = Tensor.allocate(arena, DType.I32, Shape.of(widens ? blockRows : 0));
        for (int i = 0; i < ids.size(0); i++) {
            ids.segment().setAtIndex(JAVA_INT, i, i);
        }
        this.wholeBlock = Tensor.copyOf(arena, new int[] {0, blockRows});
        this.lastBlock = Tensor.copyOf(arena, new int[] {0, blocks == 0 ? 0 : rowsOf(blocks - 1)});
        makeRoom(arena);
    }

    private Tensor floats(int block) {
        long bytes = (long) blockRows * rows.dimension() * Float.BYTES;
        int count = rowsOf(block);
        MemorySegment part = rows.segment().asSlice(block * bytes, (long) count * rows.dimension() * Float.BYTES);
        return Tensor.of(part, DType.F32, Shape.of(count, rows.dimension()));
    }

    private void makeRoom(Arena arena) {
        int dimension = rows.dimension();
        MemorySegment query = f32(arena, QUERIES, dimension).segment();
        MemorySegment score = f32(arena, blockRows, QUERIES).segment();
        MemorySegment weight = arena.allocate(kernels.packedBytes(QUERIES, dimension, Layout.F32), Kernels.ALIGNMENT);
        for (int count = 1; count <= QUERIES; count++) {
            queries[count] = Tensor.of(query, DType.F32, Shape.of(count, dimension));
            parts[count] = Weight.of(queries[count]);
            packed[count] = new PackedLinear(weight, count, dimension, Layout.F32, kernels.packing());
            scores[count] = Tensor.of(score, DType.F32, Shape.of(blockRows, count));
        }
    }

    private static Tensor f32(Arena arena, long first, long second) {
        return Tensor.allocate(arena, DType.F32, Shape.of(first, second));
    }

    private int rowsOf(int block) {
        return (int) Math.min(blockRows, rows.count() - (long) block * blockRows);
    }

    @Override
    public int blockRows() {
        return blockRows;
    }

    @Override
    public void take(int count, MemorySegment from, long at) {
        taken = count;
        MemorySegment to = queries[count].segment();
        long values = (long) count * rows.dimension();
        if (rows.type() == VectorType.FLOAT) {
            MemorySegment.copy(from, at, to, 0, values * Float.BYTES);
        } else {
            for (long i = 0; i < values; i++) {
                to.setAtIndex(JAVA_FLOAT, i, from.get(JAVA_BYTE, at + i));
            }
        }
        if (cosine) {
            kernels.normalize(count, queries[count], queries[count]);
        }
        kernels.pack(parts[count], 0, count, Layout.F32, packed[count].data());
    }

    @Override
    public MemorySegment score(int block) {
        int count = rowsOf(block);
        Tensor x = copy;
        if (rows.type() == VectorType.INT8) {
            Tensor offsets = count == blockRows ? wholeBlock : lastBlock;
            kernels.embedding(1, ids, offsets, null, bytes[block], 1, null, 0, null, copy);
        } else if (!cosine) {
            x = floats[block];
        }
        if (cosine) {
            kernels.normalize(count, rows.type() == VectorType.INT8 ? copy : floats[block], copy);
        }
        kernels.linear(count, x, packed[taken], null, Activation.NONE, null, scores[taken]);
        return scores[taken].segment();
    }
}
