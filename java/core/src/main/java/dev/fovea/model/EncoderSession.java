package dev.fovea.model;

import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.sentence.Finish;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Encodes token ids, without allocation on the Java heap: the path of a service that counts microseconds.
 *
 * <p>Serves one thread at a time. Many sessions share one encoder's weights.
 */
public final class EncoderSession implements AutoCloseable {
    /** Capacities are multiples of this, so that batches that grow bit by bit do not move the workspace each time. */
    private static final int GRANULE = 64;

    private final EncoderModel model;
    private final Session session;
    /** What the graph does not do; null if it does all. */
    private final Finish finish;
    private final WatchedCall call;
    private final Owner owner;

    private EncoderSession(EncoderModel model, Owner owner) {
        this.model = model;
        this.owner = owner;
        this.session = owner.own(model.newSession(GRANULE, 1));
        this.call = new WatchedCall(model.engine(), model.name());
        this.finish = model.pipeline().isInGraph() ? null : model.pipeline().newFinish();
    }

    /** A session of a model that is open and stays so meanwhile. */
    static EncoderSession create(EncoderModel model) {
        return Owner.create("session of " + model.name(), owner -> new EncoderSession(model, owner));
    }

    /**
     * Encodes a batch of token sequences as they are: special tokens must be in them.
     *
     * <p>The segments may lie on or off the heap, at any alignment. Only the first batch that is larger than every
     * one before it allocates: off the heap, beside a few objects.
     *
     * @param tokenIds I32 [≥ tokens]
     * @param offsets I32 [sequences + 1]: where each sequence starts in {@code tokenIds}, and last the number of
     *     tokens; from 0, not decreasing
     * @param out F32 [≥ sequences, dimension]; an empty sequence gives a row of 0
     * @throws IllegalArgumentException if sizes do not fit, an id is outside the vocabulary, or a sequence is longer
     *     than {@link TextEncoder#maxTokens()}; {@code out} is not written
     * @throws ArithmeticException if the vector of a sequence is not finite; {@code out} is not written
     * @throws IllegalStateException if this session, its encoder or the arena of a segment is closed, or another
     *     thread is using this session
     */
    public void encode(MemorySegment tokenIds, MemorySegment offsets, MemorySegment out) {
        Objects.requireNonNull(offsets, "offsets");
        long entries = offsets.byteSize() / Integer.BYTES;
        if (entries < 1 || entries > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("offsets must hold 1 to " + Integer.MAX_VALUE
                    + " entries of 4 bytes, got " + offsets.byteSize() + " bytes");
        }
        encode((int) entries - 1, tokenIds, offsets, out);
    }

    /**
     * As {@link #encode(MemorySegment, MemorySegment, MemorySegment)}, for segments that serve batches of many sizes.
     *
     * @param sequences the number of sequences in this batch
     * @param offsets I32 [≥ sequences + 1]
     */
    public void encode(int sequences, MemorySegment tokenIds, MemorySegment offsets, MemorySegment out) {
        Objects.requireNonNull(tokenIds, "tokenIds");
        Objects.requireNonNull(offsets, "offsets");
        Objects.requireNonNull(out, "out");
        long arrival = WatchedCall.arrival(model.engine());
        enter();
        try {
            call.encoded(sequences, watched(arrival, sequences, tokenIds, offsets, out));
        } finally {
            exit();
        }
    }

    /**
     * As above, for texts.
     *
     * @param promptTokens of each sequence, the tokens at its beginning that may be left out of the pooling; null for
     *     none
     * @param pooled F32 [≥ sequences, components]: receives the vectors before their normalisation, of models that
     *     keep them; null if they are not asked for
     * @throws NotFiniteException if a vector is not finite; nothing is written
     */
    void encode(int sequences, MemorySegment tokenIds, MemorySegment offsets, int[] promptTokens, MemorySegment out,
            MemorySegment pooled) {
        enter();
        try {
            encodeAlone(sequences, tokenIds, offsets, promptTokens, out, pooled);
        } finally {
            exit();
        }
    }

    private int watched(long arrival, int sequences, MemorySegment tokenIds, MemorySegment offsets, MemorySegment out) {
        call.beginEncoding(arrival);
        try {
            return encodeAlone(sequences, tokenIds, offsets, null, out, null);
        } catch (Throwable e) {
            call.encodingFailed(e);
            throw e;
        }
    }

    /** As above, of a call that no one else is in; returns the number of tokens. */
    private int encodeAlone(int sequences, MemorySegment tokenIds, MemorySegment offsets, int[] promptTokens, MemorySegment out,
            MemorySegment pooled) {
        requireSpace(sequences, model.dimension(), out);
        if (pooled != null) {
            requireSpace(sequences, model.pipeline().components(), pooled);
        }
        int tokens = run(sequences, tokenIds, offsets);
        requireFinite(sequences, offsets);
        if (finish != null) {
            finish(sequences, offsets, promptTokens, out, pooled);
            return tokens;
        }
        copyOutput(0, sequences, out);
        if (pooled != null) {
            copyOutput(1, sequences, pooled);
        }
        return tokens;
    }

    /** What its calls tell those who watch. For who uses the session. */
    WatchedCall call() {
        return call;
    }

    /** Bytes of memory off the Java heap that it works in, which grow with the batches that it has had. */
    public long workspaceBytes() {
        return session.workspaceBytes();
    }

    /** Such as {@code EncoderSession[all-minilm-l6-v2, 812340 bytes]}. */
    @Override
    public String toString() {
        return "EncoderSession[" + model.name() + ", " + workspaceBytes() + " bytes]";
    }

    /** Frees the workspace, at once or when the call in progress is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }

    private void enter() {
        model.owner().enter();
        try {
            owner.enterAlone();
        } catch (IllegalStateException e) {
            model.owner().exit();
            throw e;
        }
    }

    private void exit() {
        try {
            owner.exit();
        } finally {
            model.owner().exit();
        }
    }

    private int run(int sequences, MemorySegment tokenIds, MemorySegment offsets) {
        int tokens = tokens(sequences, tokenIds, offsets);
        session.ensureCapacity(roundUp(tokens), roundUp(sequences));
        session.run(sequences, tokenIds, offsets);
        return tokens;
    }

    /** The number of tokens that the batch asks room for: no more than there are, whatever the offsets say. */
    private static int tokens(int sequences, MemorySegment tokenIds, MemorySegment offsets) {
        if (offsets.byteSize() / Integer.BYTES < sequences + 1L) {
            throw new IllegalArgumentException("offsets of " + sequences + " sequences need "
                    + (sequences + 1L) * Integer.BYTES + " bytes, got " + offsets.byteSize());
        }
        int tokens = offsets.get(ValueLayout.JAVA_INT_UNALIGNED, (long) sequences * Integer.BYTES);
        if (tokens < 0 || tokens > tokenIds.byteSize() / Integer.BYTES) {
            throw new IllegalArgumentException("offsets[" + sequences + "] is " + tokens + ", tokenIds holds "
                    + tokenIds.byteSize() / Integer.BYTES + " tokens");
        }
        return tokens;
    }

    private static void requireSpace(int sequences, int dimension, MemorySegment out) {
        if (sequences < 0) {
            throw new IllegalArgumentException("sequences must be at least 0, got " + sequences);
        }
        long needed = (long) sequences * dimension * Float.BYTES;
        if (out.byteSize() < needed) {
            throw new IllegalArgumentException("out needs " + needed + " bytes for " + sequences + " sequences of "
                    + dimension + " components, got " + out.byteSize());
        }
        if (out.isReadOnly()) {
            throw new IllegalArgumentException("out is read-only: " + out);
        }
    }

    private void finish(int sequences, MemorySegment offsets, int[] promptTokens, MemorySegment out,
            MemorySegment pooled) {
        MemorySegment rows = session.output(0).segment();
        boolean readsTokens = model.pipeline().readsTokens();
        for (int s = 0; s < sequences; s++) {
            int begin = offset(offsets, s);
            int tokens = offset(offsets, s + 1) - begin;
            int skipped = promptTokens == null ? 0 : promptTokens[s];
            finish.read(rows, readsTokens ? begin : s, tokens, skipped);
            finish.write(out, s);
            if (pooled != null) {
                finish.writePooled(pooled, s);
            }
        }
    }

    /** Looks at every number of the first output, before anything is made of it. */
    private void requireFinite(int sequences, MemorySegment offsets) {
        MemorySegment rows = session.output(0).segment();
        boolean tokens = finish != null && model.pipeline().readsTokens();
        int width = finish == null ? model.dimension() : model.width();
        for (int s = 0; s < sequences; s++) {
            long begin = tokens ? offset(offsets, s) : s;
            long end = tokens ? offset(offsets, s + 1) : s + 1L;
            if (!isFinite(rows, begin * width, end * width)) {
                throw new NotFiniteException(s);
            }
        }
    }

    /** Whether no element of F32 values from {@code begin} to {@code end} is infinite or NaN. */
    static boolean isFinite(MemorySegment values, long begin, long end) {
        int found = 0;
        for (long i = begin; i < end; i++) {
            // Carries into the sign if all bits of the exponent are set.
            found |= (values.get(ValueLayout.JAVA_INT_UNALIGNED, i * Float.BYTES) & 0x7f80_0000) + 0x0080_0000;
        }
        return found >= 0;
    }

    private static int offset(MemorySegment offsets, int index) {
        return offsets.get(ValueLayout.JAVA_INT_UNALIGNED, (long) index * Integer.BYTES);
    }

    private void copyOutput(int index, int sequences, MemorySegment out) {
        MemorySegment vectors = session.output(index).segment();
        MemorySegment.copy(vectors, 0, out, 0, (long) sequences * model.dimension() * Float.BYTES);
    }

    private static int roundUp(int count) {
        return (int) Math.min(Integer.MAX_VALUE, Math.ceilDiv(Math.max(1L, count), GRANULE) * GRANULE);
    }
}
