package dev.fovea.graph;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Sequences of token ids. */
record Batch(List<int[]> sequences) {
    /** Random ids, with these lengths. */
    static Batch random(long seed, int vocabulary, int... lengths) {
        var random = new Random(seed);
        return new Batch(Arrays.stream(lengths)
                .mapToObj(length -> random.ints(length, 0, vocabulary).toArray())
                .toList());
    }

    int[] ids() {
        return sequences.stream().flatMapToInt(IntStream::of).toArray();
    }

    int[] offsets() {
        int[] offsets = new int[sequences.size() + 1];
        for (int i = 0; i < sequences.size(); i++) {
            offsets[i + 1] = offsets[i] + sequences.get(i).length;
        }
        return offsets;
    }

    void writeTo(Session session) {
        write(session.ids(), ids());
        write(session.offsets(), offsets());
    }

    /** Runs the batch in a session and copies the first rows of an output, [rows][columns]. */
    float[][] run(Session session, int output) {
        writeTo(session);
        session.run(sequences.size());
        Tensor out = session.output(output);
        boolean perSequence = out.size(0) == session.maxSequences();
        int rows = perSequence ? sequences.size() : ids().length;
        float[][] copy = new float[rows][(int) out.size(1)];
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(out.segment(), ValueLayout.JAVA_FLOAT, r * out.stride(0) * Float.BYTES, copy[r], 0,
                    copy[r].length);
        }
        return copy;
    }

    static void write(Tensor target, int... values) {
        MemorySegment.copy(values, 0, target.segment(), ValueLayout.JAVA_INT, 0, values.length);
    }
}
