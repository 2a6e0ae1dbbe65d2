package dev.fovea.model;

import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import dev.fovea.text.ModelInput;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What a model with a head reads, as one ragged batch, and the session that runs it. Reused for batch after batch, when it
 * allocates nothing; for one thread.
 */
final class HeadBatch implements AutoCloseable {
    private final Session session;
    private final WatchedCall call;
    private int[] ids = new int[0];
    private int[] types = new int[0];
    private int[] offsets = new int[1];
    private MemorySegment idSegment;
    private MemorySegment typeSegment;
    private MemorySegment offsetSegment;
    private int sequences;
    private long encoded;

    HeadBatch(Session session, WatchedCall call) {
        this.session = session;
        this.call = call;
        reserve(64);
        reserveSequences(16);
    }

    /** Empties it for a call that came at {@code arrival}. */
    void begin(long arrival) {
        clear();
        encoded = 0;
        call.beginEncoding(arrival);
    }

    /** What the call tells those who watch. */
    WatchedCall call() {
        return call;
    }

    /** Tokens of all sequences that the call has run. */
    long encodedTokens() {
        return encoded;
    }

    /** Empties it. */
    void clear() {
        sequences = 0;
    }

    /** Leaves the sequence that was added last. */
    void keepLast() {
        int begin = offsets[sequences - 1];
        int tokens = tokens() - begin;
        System.arraycopy(ids, begin, ids, 0, tokens);
        System.arraycopy(types, begin, types, 0, tokens);
        offsets[1] = tokens;
        sequences = 1;
    }

    /** How many sequences there are. */
    int sequences() {
        return sequences;
    }

    /** How many tokens they have. */
    int tokens() {
        return offsets[sequences];
    }

    /** Where a sequence begins, or what is behind the last. */
    int begin(int sequence) {
        return offsets[sequence];
    }

    /** The ids of a sequence. */
    int[] idsOf(int sequence) {
        return Arrays.copyOfRange(ids, offsets[sequence], offsets[sequence + 1]);
    }

    /** Makes room for so many tokens behind those that there are. */
    void reserve(int more) {
        int most = Math.addExact(tokens(), more);
        if (most > ids.length) {
            int room = Math.max(most, Math.min(2 * ids.length, TextBatch.MAX_TOKENS));
            ids = Arrays.copyOf(ids, room);
            types = Arrays.copyOf(types, room);
            idSegment = MemorySegment.ofArray(ids);
            typeSegment = MemorySegment.ofArray(types);
        }
    }

    private void reserveSequences(int count) {
        if (count >= offsets.length) {
            offsets = Arrays.copyOf(offsets, Math.max(count, 2 * sequences) + 1);
            offsetSegment = MemorySegment.ofArray(offsets);
        }
    }

    /** Where token ids stand. Valid until more room is made. */
    int[] ids() {
        return ids;
    }

    /** Where their types stand, likewise. */
    int[] types() {
        return types;
    }

    /** Makes a sequence of so many tokens that were written behind the others. */
    void add(int tokens) {
        reserveSequences(sequences + 1);
        offsets[sequences + 1] = tokens() + tokens;
        sequences++;
    }

    /** Adds a sequence. */
    void add(ModelInput input) {
        int tokens = input.ids().length;
        reserve(tokens);
        System.arraycopy(input.ids(), 0, ids, tokens(), tokens);
        System.arraycopy(input.types(), 0, types, tokens(), tokens);
        add(tokens);
    }

    /** Runs the first {@code count} sequences. */
    Tensor run(int count) {
        session.ensureCapacity(Math.ceilDiv(Math.max(1, offsets[count]), 64) * 64, Math.ceilDiv(count, 16) * 16);
        session.run(count, idSegment, typeSegment, offsetSegment);
        encoded += offsets[count];
        return session.output();
    }

    @Override
    public void close() {
        session.close();
    }
}
