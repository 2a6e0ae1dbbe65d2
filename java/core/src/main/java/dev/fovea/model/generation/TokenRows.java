package dev.fovea.model.generation;

import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Token ids into a session, rows of vectors out of it. */
public final class TokenRows {
    private TokenRows() {}

    /** The number of tokens of all sequences. */
    public static int count(List<int[]> sequences) {
        return sequences.stream().mapToInt(ids -> ids.length).reduce(0, Math::addExact);
    }

    /** Runs a session that has room for these sequences. */
    public static void run(Session session, List<int[]> sequences) {
        int[] ids = new int[count(sequences)];
        int[] offsets = new int[sequences.size() + 1];
        for (int s = 0; s < sequences.size(); s++) {
            int[] sequence = sequences.get(s);
            System.arraycopy(sequence, 0, ids, offsets[s], sequence.length);
            offsets[s + 1] = offsets[s] + sequence.length;
        }
        session.run(sequences.size(), MemorySegment.ofArray(ids), MemorySegment.ofArray(offsets));
    }

    /** The first rows of a matrix. */
    public static float[][] read(Tensor matrix, int rows) {
        float[][] copy = new float[rows][(int) matrix.size(1)];
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(matrix.segment(), ValueLayout.JAVA_FLOAT, r * matrix.stride(0) * Float.BYTES, copy[r], 0,
                    copy[r].length);
        }
        return copy;
    }
}
