package dev.fovea.bench.attention;

/**
 * Attention as its formula says it, in double precision: softmax(scale · q·kᵀ + mask) · v, a query at a time.
 *
 * <p>A query that sees no key gets zeros.
 */
final class ReferenceAttention {
    private final AttentionShape shape;
    private final AttentionOptions options;
    private final double scale;

    ReferenceAttention(AttentionShape shape, AttentionOptions options) {
        this.shape = shape;
        this.options = options;
        scale = options.scale().orElse(1 / Math.sqrt(shape.headDim()));
    }

    /**
     * The attention of every query.
     *
     * @param query [batch, heads, queries, head_dim]
     * @param key [batch, kv_heads, keys, head_dim]
     * @param value [batch, kv_heads, keys, value_dim]
     * @return [batch, heads, queries, value_dim]
     */
    double[] attend(float[] query, float[] key, float[] value) {
        double[] out = new double[AttentionShape.elements(shape.out())];
        for (int b = 0; b < shape.batch(); b++) {
            for (int h = 0; h < shape.heads(); h++) {
                int kvHead = h / (shape.heads() / shape.kvHeads());
                int firstKey = (b * shape.kvHeads() + kvHead) * shape.keys();
                for (int i = 0; i < shape.queries(); i++) {
                    int row = (b * shape.heads() + h) * shape.queries() + i;
                    double[] weights = new double[shape.keys()];
                    for (int j = 0; j < weights.length; j++) {
                        weights[j] = scale * dot(query, row, key, firstKey + j) + bias(b, h, i, j);
                    }
                    softmax(weights);
                    addValues(weights, value, firstKey, out, row);
                }
            }
        }
        return out;
    }

    private double dot(float[] query, int queryRow, float[] key, int keyRow) {
        double sum = 0;
        for (int d = 0; d < shape.headDim(); d++) {
            sum += (double) query[queryRow * shape.headDim() + d] * key[keyRow * shape.headDim() + d];
        }
        return sum;
    }

    private double bias(int b, int h, int i, int j) {
        if (options.causal() && j > i) {
            return Double.NEGATIVE_INFINITY;
        }
        return switch (options.mask()) {
            case null -> 0;
            case AttentionMask.Keep keep -> keep.values()[at(keep, b, h, i, j)] ? 0 : Double.NEGATIVE_INFINITY;
            case AttentionMask.Bias bias -> bias.values()[at(bias, b, h, i, j)];
        };
    }

    private int at(AttentionMask mask, int b, int h, int i, int j) {
        int matrix = Math.min(b, mask.batch() - 1) * mask.heads() + Math.min(h, mask.heads() - 1);
        return (matrix * shape.queries() + i) * shape.keys() + j;
    }

    /** Zeros where every score is −∞. */
    private static void softmax(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double sum = 0;
        for (int j = 0; j < scores.length; j++) {
            scores[j] = max == Double.NEGATIVE_INFINITY ? 0 : Math.exp(scores[j] - max);
            sum += scores[j];
        }
        for (int j = 0; j < scores.length && sum > 0; j++) {
            scores[j] /= sum;
        }
    }

    private void addValues(double[] weights, float[] value, int firstKey, double[] out, int row) {
        for (int j = 0; j < weights.length; j++) {
            for (int d = 0; d < shape.valueDim(); d++) {
                out[row * shape.valueDim() + d] += weights[j] * value[(firstKey + j) * shape.valueDim() + d];
            }
        }
    }
}
