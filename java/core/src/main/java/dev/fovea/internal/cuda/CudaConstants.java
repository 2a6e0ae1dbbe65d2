package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.Step;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A plan's constants on the GPU, in one block of its memory. Each is brought there once, however many steps read it, such
 * as embeddings that are tied to the output. They are first asked for, all of them, then {@link #upload uploaded}.
 *
 * <pre>
 *   words of embeddings            [vocabulary, width]   as the plan's weights
 *   weights of products            [outputs, inputs]     likewise, rows padded to 16 bytes; parts one after the other,
 *                                                        or, where gated, a row of one and a row of the other
 *   biases, norms, tables, slopes  F32
 *   buckets of distances           ints
 * </pre>
 */
final class CudaConstants {
    private static final int ALIGNMENT = 256;
    private static final int ROW_ALIGNMENT = 16;

    /** What makes two weights the same: where they lie, and how. */
    private record Source(long address, Layout layout, Shape shape, List<Long> strides, Tensor scales, int dimension) {
        static Source of(Weight weight) {
            List<Long> strides = new ArrayList<>();
            for (int i = 0; i < weight.rank(); i++) {
                strides.add(weight.stride(i));
            }
            return new Source(weight.segment().address(), weight.layout(), weight.shape(), strides, weight.scales(),
                    weight.scaleDimension());
        }
    }

    /** Rows of a weight, or zeros where {@code weight} is null. */
    private record Piece(Weight weight, long rows, long columns) {
        static Piece of(Weight weight) {
            return new Piece(weight, weight.rank() == 1 ? 1 : weight.size(0), weight.size(weight.rank() - 1));
        }
    }

    private record Key(List<Object> sources, DType dtype, boolean padded, boolean interleaved) {}

    /** A constant, whose address is known once all are uploaded. */
    static final class Slot {
        private final List<Piece> pieces;
        private final DType dtype;
        private final long pitch;
        private final boolean interleaved;
        private long offset;
        private long address;

        private Slot(List<Piece> pieces, DType dtype, long pitch, boolean interleaved) {
            this.pieces = pieces;
            this.dtype = dtype;
            this.pitch = pitch;
            this.interleaved = interleaved;
        }

        private long bytes() {
            long rows = 0;
            for (Piece piece : pieces) {
                rows = Math.addExact(rows, piece.rows());
            }
            return Math.multiplyExact(rows, pitch);
        }

        long address() {
            return address;
        }
    }

    private final DType dtype;
    private final Map<Key, Slot> slots = new LinkedHashMap<>();
    private final Map<Rope, Weight> tables = new HashMap<>();
    private final Set<Slot> products = new HashSet<>();
    private long bytes;

    /** For a plan whose weights are kept as {@code dtype}. */
    CudaConstants(DType dtype) {
        this.dtype = dtype;
    }

    /** A table of word embeddings. */
    Slot words(Weight words) {
        return slot(List.of(Piece.of(words)), dtype, false, false);
    }

    /** A vector or a table as F32; null for null. */
    Slot values(Weight weight) {
        return weight == null ? null : slot(List.of(Piece.of(weight)), DType.F32, false, false);
    }

    /** Likewise of a tensor. */
    Slot values(Tensor tensor) {
        return values(Weight.of(tensor));
    }

    /** Integers, whose bits are copied as those of floats are. */
    Slot integers(Tensor tensor) {
        return values(Tensor.of(tensor.segment(), DType.F32, tensor.shape()));
    }

    /** The table of RoPE; null for null. */
    Slot table(Rope rope) {
        return rope == null ? null : values(tables.computeIfAbsent(rope, each -> Weight.of(each.table())));
    }

    /** The weights of a product, or of a gated one. */
    Slot weights(CudaStep step, Step.Linear linear) {
        List<Piece> pieces = new ArrayList<>();
        linear.parts().forEach(part -> pieces.add(Piece.of(part.weight())));
        boolean gated = step.up() != null;
        if (gated) {
            step.up().parts().forEach(part -> pieces.add(Piece.of(part.weight())));
        }
        Slot slot = slot(pieces, dtype, true, gated);
        products.add(slot);
        return slot;
    }

    /** The biases of a product, or of a gated one, with 0 for those that are missing; null if all are. */
    Slot biases(CudaStep step, Step.Linear linear) {
        List<Step.Part> parts = new ArrayList<>(linear.parts());
        boolean gated = step.up() != null;
        if (gated) {
            parts.addAll(step.up().parts());
        }
        if (parts.stream().allMatch(part -> part.bias() == null)) {
            return null;
        }
        // A value to a row, so that rows interleave as those of the weights do.
        List<Piece> pieces = new ArrayList<>();
        parts.forEach(part -> pieces.add(new Piece(part.bias(), part.weight().size(0), 1)));
        return slot(pieces, DType.F32, false, gated);
    }

    private Slot slot(List<Piece> pieces, DType type, boolean padded, boolean interleaved) {
        List<Object> sources = new ArrayList<>();
        pieces.forEach(piece -> sources.add(piece.weight() == null ? piece.rows() : Source.of(piece.weight())));
        long row = pieces.getFirst().columns() * type.bytes();
        long pitch = padded ? Math.ceilDiv(row, ROW_ALIGNMENT) * ROW_ALIGNMENT : row;
        // Rows that need no padding are the same with and without, as those of tied embeddings.
        var key = new Key(sources, type, pitch != row, interleaved);
        Slot slot = slots.get(key);
        if (slot == null) {
            slot = new Slot(List.copyOf(pieces), type, pitch, interleaved);
            slot.offset = bytes;
            bytes = Math.addExact(bytes, Math.ceilDiv(slot.bytes(), ALIGNMENT) * ALIGNMENT);
            slots.put(key, slot);
        }
        return slot;
    }

    /** Bytes of the weights of products. */
    long weightBytes() {
        return products.stream().mapToLong(Slot::bytes).sum();
    }

    /**
     * Brings all constants to the GPU.
     *
     * @throws OutOfMemoryError if it has not as much memory
     */
    CudaMemory upload(CudaContext context) {
        CudaMemory memory = CudaMemory.allocate(context, "plan", bytes);
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            var stream = new WeightStream(memory, arena);
            for (Slot slot : slots.values()) {
                slot.address = memory.address() + slot.offset;
                stream.seek(slot.offset);
                if (slot.interleaved) {
                    interleave(slot, stream);
                } else {
                    slot.pieces.forEach(piece -> put(piece, slot, stream));
                }
            }
            stream.flush();
            done = true;
            return memory;
        } finally {
            if (!done) {
                memory.close();
            }
        }
    }

    private static void put(Piece piece, Slot slot, WeightStream stream) {
        if (piece.weight() == null) {
            stream.zeros(piece.rows() * slot.pitch);
        } else {
            // A bias is a vector, one row: of values without gaps, which is what as many rows of one value are.
            long columns = piece.weight().size(piece.weight().rank() - 1);
            stream.rows(piece.weight(), slot.dtype, piece.columns() == columns ? slot.pitch : columns * Float.BYTES);
        }
    }

    /** Row 2 o of the first half of the pieces' rows, row 2 o + 1 of the second. */
    private static void interleave(Slot slot, WeightStream stream) {
        int half = slot.pieces.size() / 2;
        List<Row> gate = rows(slot.pieces.subList(0, half));
        List<Row> up = rows(slot.pieces.subList(half, slot.pieces.size()));
        for (int o = 0; o < gate.size(); o++) {
            gate.get(o).write(slot, stream);
            up.get(o).write(slot, stream);
        }
    }

    /** A row of a piece. */
    private record Row(Piece piece, long index) {
        void write(Slot slot, WeightStream stream) {
            Weight weight = piece.weight();
            if (weight == null) {
                stream.zeros(slot.pitch);
            } else if (weight.rank() == 1) {
                stream.value(weight, index, slot.dtype);
            } else {
                stream.row(weight, index, slot.dtype, slot.pitch);
            }
        }
    }

    private static List<Row> rows(List<Piece> pieces) {
        List<Row> rows = new ArrayList<>();
        for (Piece piece : pieces) {
            for (long i = 0; i < piece.rows(); i++) {
                rows.add(new Row(piece, i));
            }
        }
        return rows;
    }
}
