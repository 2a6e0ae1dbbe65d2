package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Guesses what a smaller model takes for likeliest, token by token, for all sequences at once. */
final class DraftModel extends Drafts {
    private final CacheSet cache;
    private final Session session;
    private final Tensor logits;
    private final int chunk;
    /** Tokens of each sequence in this run, and the row of its logits; −1 for none. */
    private final int[] counts;
    private final int[] rows;

    /**
     * For the sequences of {@code cache}, which is closed later.
     *
     * @param plan of which the logits behind the last tokens are the first output; it takes spans
     * @param chunk tokens of prompts that are read in one run at most
     */
    DraftModel(Plan plan, CacheSet cache, int chunk) {
        this.cache = cache;
        this.chunk = chunk;
        this.counts = new int[cache.sequences()];
        this.rows = new int[cache.sequences()];
        this.session = plan.newSession(chunk + cache.sequences(), cache.sequences(), List.of(cache));
        this.logits = session.output();
    }

    @Override
    void begin(Slot slot) {
        cache.adopt(slot.index, slot.request.tokens(), slot.known - 1);
    }

    @Override
    void end(Slot slot) {
        dropWrong(slot);
        cache.keep(slot.index, slot.request.tokens(), cache.length(slot.index));
        cache.reset(slot.index);
    }

    /** Of what was guessed, only what was right is of use; the last token tells what follows. */
    private void dropWrong(Slot slot) {
        cache.truncate(slot.index, Math.min(cache.length(slot.index), slot.known - 1));
    }

    @Override
    void propose(Slot[] slots, int count) {
        int longest = 0;
        for (int i = 0; i < count; i++) {
            Slot slot = slots[i];
            longest = Math.max(longest, most(slot));
            dropWrong(slot);
        }
        for (int round = 0; round < longest; round++) {
            int end = 0;
            for (int i = 0; i < count; i++) {
                Slot slot = slots[i];
                int held = cache.length(slot.index);
                int wanted = round > slot.draftCount || round >= most(slot) ? 0
                        : Math.min(slot.known + slot.draftCount - held, Math.max(1, chunk - end));
                counts[slot.index] = held + wanted <= cache.capacity() ? wanted : 0;
                end += counts[slot.index];
            }
            if (end == 0) {
                return;
            }
            run(slots, count);
            for (int i = 0; i < count; i++) {
                Slot slot = slots[i];
                if (rows[slot.index] >= 0) {
                    slot.drafts[slot.draftCount++] = likeliest(rows[slot.index]);
                }
            }
        }
    }

    private void run(Slot[] slots, int count) {
        MemorySegment ids = session.ids().segment();
        MemorySegment offsets = session.offsets().segment();
        MemorySegment spans = session.spans().segment();
        int end = 0;
        int row = 0;
        for (int sequence = 0; sequence < counts.length; sequence++) {
            rows[sequence] = -1;
            Slot slot = find(slots, count, sequence);
            if (slot != null && counts[sequence] > 0) {
                int held = cache.length(sequence);
                for (int i = 0; i < counts[sequence]; i++) {
                    int at = held + i;
                    ids.setAtIndex(ValueLayout.JAVA_INT, end++,
                            at < slot.known ? slot.request.tokens()[at] : slot.drafts[at - slot.known]);
                }
                if (held + counts[sequence] == slot.known + slot.draftCount) {
                    rows[sequence] = row;
                    spans.setAtIndex(ValueLayout.JAVA_INT, ++row, end);
                }
            }
            offsets.setAtIndex(ValueLayout.JAVA_INT, sequence + 1L, end);
        }
        session.runSpans(counts.length, row);
    }

    private static Slot find(Slot[] slots, int count, int sequence) {
        for (int i = 0; i < count; i++) {
            if (slots[i].index == sequence) {
                return slots[i];
            }
        }
        return null;
    }

    private int likeliest(int row) {
        MemorySegment all = logits.segment();
        long start = row * logits.stride(0);
        int best = 0;
        float most = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.size(1); i++) {
            float logit = all.getAtIndex(ValueLayout.JAVA_FLOAT, start + i);
            if (logit > most) {
                most = logit;
                best = i;
            }
        }
        return best;
    }

    @Override
    public void close() {
        session.close();
    }
}
