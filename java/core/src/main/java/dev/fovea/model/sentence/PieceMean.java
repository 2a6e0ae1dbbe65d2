package dev.fovea.model.sentence;

/** The mean of the vectors of a text's pieces, each weighted by its tokens; in double. */
public final class PieceMean {
    private final double[] sum;
    private int tokens;

    /** Of no pieces yet. */
    public PieceMean(int dimension) {
        sum = new double[dimension];
    }

    /** Adds a piece of {@code pieceTokens} tokens. */
    public void add(float[] vector, int pieceTokens) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += (double) vector[i] * pieceTokens;
        }
        tokens += pieceTokens;
    }

    /** The tokens of all pieces so far. */
    public int tokens() {
        return tokens;
    }

    /** The first {@code dimension} components of the mean of what was added, with length 1 if {@code normalize}. */
    public float[] finish(int dimension, boolean normalize) {
        double divisor = normalize ? VectorStage.UnitLength.length(sum, dimension) : tokens;
        float[] mean = new float[dimension];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / divisor);
        }
        return mean;
    }
}
