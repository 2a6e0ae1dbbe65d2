package dev.fovea.attention;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import java.lang.foreign.ValueLayout;

/**
 * Attention by its formula: all scores of a query, the softmax over those that count, the sum of the values.
 *
 * <p>One text for two precisions. Single precision is double with each result rounded, which for sums, products,
 * quotients and roots is what a float operation gives: Figueroa, "When is double rounding innocuous?", 1995.
 */
final class AttentionReference {
    /** How results of single operations are kept. */
    enum Precision { DOUBLE, SINGLE }

    /**
     * What an attention gives, per sequence.
     *
     * @param out [queries, heads, value_dim]
     * @param lse [queries, heads]
     * @param weights [queries, heads, keys]
     * @param tainted [queries, heads], whether NaN or ∞ takes part
     */
    record Result(double[][] out, double[][] lse, double[][] weights, boolean[][] tainted) {}

    private final AttentionProblem problem;
    private final AttentionSpec spec;
    private final boolean single;
    private final float[] table;

    private AttentionReference(AttentionProblem problem, Precision precision) {
        this.problem = problem;
        this.spec = problem.spec();
        this.single = precision == Precision.SINGLE;
        this.table = spec.rope() == null ? null : spec.rope().table().segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    /** Computes the first {@code run} sequences. */
    static Result of(AttentionProblem problem, int run, Precision precision) {
        return new AttentionReference(problem, precision).compute(run);
    }

    private Result compute(int run) {
        double[][] out = new double[run][];
        double[][] lse = new double[run][];
        double[][] weights = new double[run][];
        boolean[][] tainted = new boolean[run][];
        for (int s = 0; s < run; s++) {
            int queries = problem.queries()[s];
            int keys = problem.keys()[s];
            out[s] = new double[queries * spec.heads() * spec.valueDim()];
            lse[s] = new double[queries * spec.heads()];
            weights[s] = new double[queries * spec.heads() * keys];
            tainted[s] = new boolean[queries * spec.heads()];
            double[] k = turnedKeys(s);
            float[] v = values(s);
            boolean[] rotten = rotten(s);
            for (int i = 0; i < queries; i++) {
                for (int h = 0; h < spec.heads(); h++) {
                    tainted[s][i * spec.heads() + h] = row(s, i, h, k, v, rotten, out[s], lse[s],
                            weights[s]);
                }
            }
        }
        return new Result(out, lse, weights, tainted);
    }

    private boolean row(int s, int i, int h, double[] k, float[] v, boolean[] rotten, double[] out, double[] lse,
            double[] weights) {
        int keys = problem.keys()[s];
        int row = i * spec.heads() + h;
        double[] q = turnedQuery(s, i, h);
        double[] scores = new double[keys];
        double max = Double.NEGATIVE_INFINITY;
        boolean tainted = false;
        int attended = 0;
        for (int j = 0; j < keys; j++) {
            scores[j] = Double.NEGATIVE_INFINITY;
            if (problem.attends(s, h, i, j)) {
                scores[j] = score(s, h, i, j, q, k);
                max = Math.max(max, scores[j]);
                tainted |= rotten[j * spec.kvHeads() + problem.kvHead(h)] || !Double.isFinite(scores[j]);
                attended++;
            }
        }
        if (attended == 0) {
            lse[row] = Double.NEGATIVE_INFINITY;
            return false;
        }
        double sum = 0;
        for (int j = 0; j < keys; j++) {
            if (scores[j] != Double.NEGATIVE_INFINITY) {
                scores[j] = round(Math.exp(round(scores[j] - max)));
                sum = round(sum + scores[j]);
            } else {
                scores[j] = 0;
            }
        }
        lse[row] = round(max + round(Math.log(sum)));
        for (int j = 0; j < keys; j++) {
            double weight = round(scores[j] / sum);
            weights[row * keys + j] = weight;
            int value = (j * spec.kvHeads() + problem.kvHead(h)) * spec.valueDim();
            for (int e = 0; weight != 0 && e < spec.valueDim(); e++) {
                int at = row * spec.valueDim() + e;
                out[at] = round(out[at] + round(weight * v[value + e]));
            }
        }
        return tainted;
    }

    private double score(int s, int h, int i, int j, double[] q, double[] k) {
        int key = (j * spec.kvHeads() + problem.kvHead(h)) * spec.headDim();
        double score = 0;
        for (int e = 0; e < spec.headDim(); e++) {
            score = round(score + round(q[e] * k[key + e]));
        }
        score = round(score * spec.scale());
        if (spec.softcap() > 0) {
            score = round(spec.softcap() * round(Math.tanh(round(score / spec.softcap()))));
        }
        if (problem.bias() != null) {
            score = round(score + problem.bias().at(s, h, i, j));
        }
        if (spec.alibi() != null) {
            int d = problem.diagonal(s, i);
            score = round(score - round(spec.alibi().slopes().getFloat(h) * (double) Math.abs(d - j)));
        }
        return score;
    }

    /** Whether NaN or ∞ stands in a key or value, [keys, kv_heads]. */
    private boolean[] rotten(int s) {
        boolean[] rotten = new boolean[problem.keys()[s] * spec.kvHeads()];
        for (int row = 0; row < rotten.length; row++) {
            for (int e = 0; e < spec.headDim(); e++) {
                rotten[row] |= !Float.isFinite(problem.k()[s][row * spec.headDim() + e]);
            }
            for (int e = 0; e < spec.valueDim(); e++) {
                rotten[row] |= !Float.isFinite(problem.v()[s][row * spec.valueDim() + e]);
            }
        }
        return rotten;
    }

    private double[] turnedQuery(int s, int i, int h) {
        double[] q = new double[spec.headDim()];
        for (int e = 0; e < q.length; e++) {
            q[e] = problem.q()[s][(i * spec.heads() + h) * q.length + e];
        }
        turn(q, 0, problem.diagonal(s, i));
        return q;
    }

    private double[] turnedKeys(int s) {
        double[] k = new double[problem.k()[s].length];
        for (int i = 0; i < k.length; i++) {
            k[i] = problem.k()[s][i];
        }
        for (int row = 0; row < k.length / spec.headDim(); row++) {
            turn(k, row * spec.headDim(), row / spec.kvHeads());
        }
        for (int i = 0; problem.storage() != DType.F32 && i < k.length; i++) {
            k[i] = Elements.round((float) k[i], problem.storage());
        }
        return k;
    }

    private float[] values(int s) {
        float[] v = problem.v()[s].clone();
        for (int i = 0; i < v.length; i++) {
            v[i] = Elements.round(v[i], problem.storage());
        }
        return v;
    }

    private void turn(double[] vector, int at, int position) {
        if (table == null) {
            return;
        }
        int dim = spec.rope().dim();
        boolean half = spec.rope().layout() == Rope.Layout.HALF;
        for (int p = 0; p < dim / 2; p++) {
            double cos = table[position * dim + p];
            double sin = table[position * dim + dim / 2 + p];
            int x = at + (half ? p : 2 * p);
            int y = at + (half ? p + dim / 2 : 2 * p + 1);
            double turnedX = round(round(vector[x] * cos) - round(vector[y] * sin));
            vector[y] = round(round(vector[x] * sin) + round(vector[y] * cos));
            vector[x] = turnedX;
        }
    }

    private double round(double value) {
        return single ? (float) value : value;
    }
}
