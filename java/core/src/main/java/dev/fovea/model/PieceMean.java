package dev.fovea.model;

/** The mean of the vectors of a text's pieces, each weighted by its tokens; in double. */
final class PieceMean {
    private final double[] sum;
    private int tokens;

    PieceMean(int dimension) {
        sum = new double[dimension];
    }

    /** Adds a piece of {@code pieceTokens} tokens. */
    void add(float[] vector, int pieceTokens) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += (double) vector[i] * pieceTokens;
        }
        tokens += pieceTokens;
    }

    /** The mean of what was added, with length 1 if {@code normalize}. */
    TextEmbedding finish(boolean normalize) {
        double divisor = tokens;
        if (normalize) {
            double squares = 0;
            for (double component : sum) {
                squares += component * component;
            }
            divisor = Math.max(Math.sqrt(squares), 1e-12);
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / divisor);
        }
        return new TextEmbedding(tokens, false, mean);
    }
}
