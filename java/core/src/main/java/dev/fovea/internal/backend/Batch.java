package dev.fovea.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The token ids of some sequences and where each begins: a copy of the caller's, checked. This is the one place where
 * they are checked. Another thread may write to the caller's memory at any time, so what is checked must be what steps
 * read.
 *
 * <p>Rows of {@link Rows#SEQUENCES} stand for the batch's spans of tokens, which are its sequences unless the caller says
 * otherwise.
 */
public final class Batch {
    private final BatchLimits limits;
    private final Tensor ids;
    private final Tensor offsets;
    private final Tensor types;
    /** I32 [maxSpans + 1]. */
    private final Tensor spanOffsets;
    private int tokens;
    private int sequences;
    /** −1 where they are the sequences. */
    private int spans = -1;

    /** Room for batches of up to these sizes, whose spans are their sequences, in {@code arena}. */
    public Batch(Arena arena, BatchLimits limits, int maxTokens, int maxSequences) {
        this(arena, limits, maxTokens, maxSequences, 0);
    }

    /** Room for batches of up to these sizes, in {@code arena}. */
    public Batch(Arena arena, BatchLimits limits, int maxTokens, int maxSequences, int maxSpans) {
        this.limits = limits;
        this.spanOffsets = Tensor.allocate(arena, DType.I32, Shape.of(maxSpans + 1L));
        this.ids = Tensor.allocate(arena, DType.I32, Shape.of(maxTokens));
        this.offsets = Tensor.allocate(arena, DType.I32, Shape.of(maxSequences + 1L));
        this.types = limits.types() == 0 ? null : Tensor.allocate(arena, DType.I32, Shape.of(maxTokens));
    }

    /** The most tokens. */
    public int maxTokens() {
        return (int) ids.size(0);
    }

    /** The most sequences. */
    public int maxSequences() {
        return (int) offsets.size(0) - 1;
    }

    /** Tokens of the batch. */
    public int tokens() {
        return tokens;
    }

    /** Sequences of the batch. */
    public int sequences() {
        return sequences;
    }

    /** The rows of a matrix. */
    public int rows(Rows rows) {
        return rows.count(tokens, spans());
    }

    /** Spans of the batch. */
    public int spans() {
        return spans < 0 ? sequences : spans;
    }

    /** I32 [≥ spans + 1], where they begin; the last one ends at the number of tokens or before it. */
    public Tensor spanOffsets() {
        return spans < 0 ? offsets : spanOffsets;
    }

    /** I32 [maxTokens]. */
    public Tensor ids() {
        return ids;
    }

    /** I32 [maxSequences + 1]. */
    public Tensor offsets() {
        return offsets;
    }

    /** I32 [maxTokens], or null if they are not read. */
    public Tensor types() {
        return types;
    }

    /** Takes over a batch whose tokens are all of type 0; see the other. */
    public void take(int sequences, MemorySegment givenIds, MemorySegment givenOffsets, Tensor starts) {
        take(sequences, givenIds, null, givenOffsets, starts);
    }

    /**
     * Takes over a batch.
     *
     * @param givenIds I32 [≥ tokens], on or off the heap, at any alignment
     * @param givenTypes I32 [≥ tokens], likewise, the type of each token; or null for 0
     * @param givenOffsets I32 [≥ sequences + 1], likewise
     * @param starts tokens that each sequence has before this batch, or null for none
     * @throws IllegalArgumentException naming value and limit, if the batch does not fit
     */
    public void take(int sequences, MemorySegment givenIds, MemorySegment givenTypes, MemorySegment givenOffsets,
            Tensor starts) {
        spans = -1;
        takeOffsets(sequences, givenOffsets);
        if (tokens > givenIds.byteSize() / Integer.BYTES) {
            throw new IllegalArgumentException("offsets[" + sequences + "] is " + tokens + ", but there are "
                    + givenIds.byteSize() / Integer.BYTES + " token ids");
        }
        requireLengths(starts);
        if (limits.vocabulary() >= 0) {
            takeIds(givenIds);
        }
        if (types != null) {
            takeTypes(givenTypes);
        }
    }

    /**
     * Gives the batch that was taken over spans of its own.
     *
     * @param givenOffsets I32 [≥ count + 1], on or off the heap, at any alignment: where each begins and the last one ends
     * @throws IllegalArgumentException naming value and limit, if they do not fit the batch
     */
    public void takeSpans(int count, MemorySegment givenOffsets) {
        long most = spanOffsets.size(0) - 1;
        if (count < 0 || count > most) {
            throw new IllegalArgumentException("the session has capacity for " + most + " spans, got " + count);
        }
        if (givenOffsets.byteSize() / Integer.BYTES < count + 1L) {
            throw new IllegalArgumentException("offsets of " + count + " spans need " + (count + 1L) * Integer.BYTES
                    + " bytes, got " + givenOffsets.byteSize());
        }
        MemorySegment.copy(givenOffsets, 0, spanOffsets.segment(), 0, (count + 1L) * Integer.BYTES);
        int end = 0;
        for (int i = 0; i <= count; i++) {
            int offset = spanOffsets.segment().getAtIndex(JAVA_INT, i);
            if (offset < end || offset > tokens || i == 0 && offset != 0) {
                throw new IllegalArgumentException("offsets of spans must begin with 0, not decrease and be at most the "
                        + tokens + " tokens, got " + offset + " at " + i);
            }
            end = offset;
        }
        spans = count;
    }

    private void takeTypes(MemorySegment given) {
        if (given == null) {
            types.segment().asSlice(0, (long) tokens * Integer.BYTES).fill((byte) 0);
            return;
        }
        if (tokens > given.byteSize() / Integer.BYTES) {
            throw new IllegalArgumentException("expected a type for each of " + tokens + " tokens, got "
                    + given.byteSize() / Integer.BYTES);
        }
        MemorySegment.copy(given, 0, types.segment(), 0, (long) tokens * Integer.BYTES);
        for (int t = 0; t < tokens; t++) {
            int type = types.segment().getAtIndex(JAVA_INT, t);
            if (type < 0 || type >= limits.types()) {
                throw new IllegalArgumentException("token type " + type + " at " + t + " is none of the "
                        + limits.types() + " that there are");
            }
        }
    }

    private void takeOffsets(int count, MemorySegment given) {
        if (count < 0 || count > maxSequences()) {
            throw new IllegalArgumentException(
                    "the session has capacity for " + maxSequences() + " sequences, got " + count);
        }
        if (given.byteSize() / Integer.BYTES < count + 1L) {
            throw new IllegalArgumentException("offsets of " + count + " sequences need "
                    + (count + 1L) * Integer.BYTES + " bytes, got " + given.byteSize());
        }
        MemorySegment.copy(given, 0, offsets.segment(), 0, (count + 1L) * Integer.BYTES);
        int end = 0;
        for (int i = 0; i <= count; i++) {
            int offset = offset(i);
            if (i == 0 && offset != 0) {
                throw new IllegalArgumentException("offsets must begin with 0, got " + offset);
            }
            if (offset < end) {
                throw new IllegalArgumentException("offsets must not decrease, got offsets[" + (i - 1) + "] = " + end
                        + " and offsets[" + i + "] = " + offset);
            }
            end = offset;
        }
        if (end > maxTokens()) {
            throw new IllegalArgumentException("the session has capacity for " + maxTokens() + " tokens, got " + end);
        }
        sequences = count;
        tokens = end;
    }

    private void requireLengths(Tensor starts) {
        for (int s = 0; s < sequences; s++) {
            int length = length(s);
            if (length > limits.maxTokens()) {
                throw new IllegalArgumentException("sequence " + s + " has " + length
                        + " tokens; the model takes at most " + limits.maxTokens());
            }
            long first = limits.firstPosition() + (starts == null ? 0L : starts.segment().getAtIndex(JAVA_INT, s));
            if (length > limits.positions() - first) {
                throw new IllegalArgumentException("sequence " + s + " has " + length + " tokens, but only "
                        + Math.max(0, limits.positions() - first) + " positions are left from " + first);
            }
        }
    }

    private void takeIds(MemorySegment given) {
        MemorySegment.copy(given, 0, ids.segment(), 0, (long) tokens * Integer.BYTES);
        for (int t = 0; t < tokens; t++) {
            int id = ids.segment().getAtIndex(JAVA_INT, t);
            if (id < 0 || id >= limits.vocabulary()) {
                throw new IllegalArgumentException("token id " + id + " at " + t + " is outside the vocabulary of "
                        + limits.vocabulary());
            }
        }
    }

    /** Tokens of one sequence. */
    public int length(int sequence) {
        return offset(sequence + 1) - offset(sequence);
    }

    private int offset(int index) {
        return offsets.segment().getAtIndex(JAVA_INT, index);
    }
}
