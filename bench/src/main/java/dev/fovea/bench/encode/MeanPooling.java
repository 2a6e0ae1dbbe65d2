package dev.fovea.bench.encode;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Means over the tokens of each text, scaled to length 1. Reused; for one thread. */
final class MeanPooling {
    private static final int WIDTH = MiniLm.DIMENSION;

    private final float[] row = new float[WIDTH];
    private final float[] vectors;
    private int sequences;

    /** For batches of at most so many texts. */
    MeanPooling(int mostSequences) {
        vectors = new float[mostSequences * WIDTH];
    }

    /** Pools {@code hidden}, [sequences, longest, width], whose rows after the end of a text are left out. */
    void pool(FloatBuffer hidden, TokenBatch batch) {
        sequences = batch.sequences();
        int longest = batch.longest();
        for (int sequence = 0; sequence < sequences; sequence++) {
            int out = sequence * WIDTH;
            Arrays.fill(vectors, out, out + WIDTH, 0);
            for (int token = 0; token < batch.length(sequence); token++) {
                hidden.get((sequence * longest + token) * WIDTH, row);
                for (int i = 0; i < WIDTH; i++) {
                    vectors[out + i] += row[i];
                }
            }
            normalise(out);
        }
    }

    private void normalise(int out) {
        float squares = 0;
        for (int i = out; i < out + WIDTH; i++) {
            squares += vectors[i] * vectors[i];
        }
        float scale = (float) (1 / Math.sqrt(squares));
        for (int i = out; i < out + WIDTH; i++) {
            vectors[i] *= scale;
        }
    }

    /** The vectors pooled last, [sequences × width]. */
    float[] vectors() {
        return Arrays.copyOf(vectors, sequences * WIDTH);
    }
}
