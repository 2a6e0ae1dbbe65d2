package dev.fovea.model;

import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Token ids into a session, rows of vectors out of it. */
final class TokenRows {
    private TokenRows() {}

    /** The number of tokens of all sequences. */
    static int count(List<int[]> sequences) {
        return sequences.stream().mapToInt(ids -> ids.length).reduce(0, Math::addExact);
    }

    /** Writes the ids of all sequences, and where each begins; those of the session behind them are empty. */
    static void write(Session session, List<int[]> sequences) {
        int tokens = count(sequences);
        session.ensureCapacity(tokens, sequences.size());
        MemorySegment ids = session.ids().segment();
        MemorySegment offsets = session.offsets().segment();
        int start = 0;
        for (int s = 0; s < sequences.size(); s++) {
            int[] sequence = sequences.get(s);
            MemorySegment.copy(sequence, 0, ids, ValueLayout.JAVA_INT, (long) start * Integer.BYTES, sequence.length);
            offsets.setAtIndex(ValueLayout.JAVA_INT, s, start);
            start += sequence.length;
        }
        for (int s = sequences.size(); s <= session.maxSequences(); s++) {
            offsets.setAtIndex(ValueLayout.JAVA_INT, s, start);
        }
    }

    /** The first rows of a matrix. */
    static float[][] read(Tensor matrix, int rows) {
        float[][] copy = new float[rows][(int) matrix.size(1)];
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(matrix.segment(), ValueLayout.JAVA_FLOAT, r * matrix.stride(0) * Float.BYTES, copy[r], 0,
                    copy[r].length);
        }
        return copy;
    }
}
