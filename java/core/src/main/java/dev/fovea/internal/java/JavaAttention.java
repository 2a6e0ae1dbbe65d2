package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.util.Arrays;

/**
 * Attention of the Java backends: tiles of queries over tiles of keys with an online softmax.
 *
 * <p>Queries are the columns of every tile, so all of a softmax is elementwise and one row of a tile
 * is one vector loop:
 *
 * <pre>
 *   scores [key, query]   = key row · query column
 *   output [value, query] = Σ over keys of value · weight
 * </pre>
 *
 * <p>Tiles of keys begin at the sequence, and each query adds up its keys one after the other. A masked key has
 * the weight 0 and moves neither peak nor sum, so a tile that others brought in leaves a query as it was:
 * its bits depend on no other query.
 *
 * <p>Milakov and Gimelshein, arXiv:1805.02867; Dao, FlashAttention-2, arXiv:2307.08691. The tiles
 * grow to the largest head that the instance sees, and stay.
 */
final class JavaAttention {
    static final int QUERIES = 128;
    static final int KEYS = 64;

    private final HeadRows queryRows = new HeadRows();
    private final HeadRows keyRows = new HeadRows();
    private final HeadRows valueRows = new HeadRows();
    private final ScoreRules rules;
    private final StrayValues strays = new StrayValues();
    private final AttentionResults results;
    private final FloatTile math;

    private final float[][] scores = new float[KEYS][QUERIES];
    private final float[] peak = new float[QUERIES];
    private final float[] newPeak = new float[QUERIES];
    private final float[] correction = new float[QUERIES];
    private final float[] sum = new float[QUERIES];
    private final float[] tileSum = new float[QUERIES];
    private float[][] query = {};  // [head_dim to a multiple of STEP, QUERIES]
    private float[][] output = {}; // [value_dim to a multiple of PAIR, QUERIES]
    private float[][] rows = {};   // [KEYS, the larger of both]: keys, then values
    private float[] row = {};

    private AttentionSpec spec;
    private int headDim;
    private int valueDim;
    private int first; // the tile's first query, counted from the start of the sequence
    private int queries; // queries of the tile

    /** Attention whose loops are those of {@code math}, made for rows of {@link #QUERIES}. */
    JavaAttention(FloatTile math) {
        this.math = math;
        rules = new ScoreRules(math);
        results = new AttentionResults(math);
    }

    void attention(int sequences, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets, Tensor kvOffsets,
            Tensor pages) {
        open(spec, operands, pages);
        int group = spec.heads() / spec.kvHeads();
        for (int s = 0; s < sequences; s++) {
            int queryStart = start(qOffsets, s);
            int queryCount = start(qOffsets, s + 1) - queryStart;
            int keyStart = start(kvOffsets, s);
            int keyCount = start(kvOffsets, s + 1) - keyStart;
            for (int head = 0; head < spec.heads(); head++) {
                queryRows.select(s, queryStart, head);
                keyRows.select(s, keyStart, head / group);
                valueRows.select(s, keyStart, head / group);
                results.select(s, queryStart, head);
                for (first = 0; first < queryCount; first += QUERIES) {
                    queries = Math.min(QUERIES, queryCount - first);
                    int diagonal = spec.mask().diagonal(first, queryCount, keyCount);
                    rules.select(s, queryStart, head, first, queries, diagonal, keyCount);
                    loadQueries(diagonal);
                    attendKeys();
                    store(keyCount);
                }
            }
        }
    }

    private static int start(Tensor offsets, int sequence) {
        return offsets.segment().getAtIndex(JAVA_INT, sequence);
    }

    private void open(AttentionSpec newSpec, AttentionOperands operands, Tensor pages) {
        spec = newSpec;
        Rope rope = spec.rope();
        queryRows.open(operands.q(), null, rope);
        keyRows.open(operands.k(), pages, pages == null ? rope : null);
        valueRows.open(operands.v(), pages, null);
        rules.open(spec, operands.mask(), operands.bias());
        results.open(operands);
        headDim = spec.headDim();
        valueDim = spec.valueDim();
        strays.reserve(valueDim);
        int queryHeight = roundUp(headDim, FloatTile.STEP);
        int outputHeight = roundUp(valueDim, FloatTile.PAIR);
        int width = Math.max(queryHeight, outputHeight);
        if (query.length < queryHeight) {
            query = new float[queryHeight][QUERIES];
        }
        if (output.length < outputHeight) {
            output = new float[outputHeight][QUERIES];
        }
        if (row.length < width) {
            row = new float[width];
            rows = new float[KEYS][width];
        }
    }

    private void loadQueries(int diagonal) {
        for (int i = 0; i < queries; i++) {
            queryRows.load(first + i, diagonal + i, row);
            for (int d = 0; d < headDim; d++) {
                query[d][i] = row[d];
            }
        }
        for (int d = headDim; d < roundUp(headDim, FloatTile.STEP); d++) {
            Arrays.fill(query[d], 0, queries, 0f);
        }
    }

    private void attendKeys() {
        // Not −∞, which would make NaN of the difference to itself.
        Arrays.fill(peak, 0, queries, -Float.MAX_VALUE);
        Arrays.fill(sum, 0, queries, 0f);
        for (int d = 0; d < roundUp(valueDim, FloatTile.PAIR); d++) {
            Arrays.fill(output[d], 0, queries, 0f);
        }
        for (int at = firstTile(); at < rules.endKey(); at += KEYS) {
            int keys = Math.min(KEYS, rules.endKey() - at);
            loadRows(keyRows, at, keys, headDim, roundUp(headDim, FloatTile.STEP));
            score(keys);
            boolean masked = rules.apply(scores, at, keys);
            results.scores(scores, first, queries, at, keys);
            loadRows(valueRows, at, keys, valueDim, roundUp(valueDim, FloatTile.PAIR));
            if (masked) {
                strays.takeOut(rows, keys, valueDim, scores, queries);
            } else {
                strays.none();
            }
            weigh(keys);
            accumulate(keys);
            strays.add(scores, valueDim, queries, output);
        }
    }

    /** Where the first tile of keys begins that a query of the tile may see. */
    private int firstTile() {
        return rules.beginKey() / KEYS * KEYS;
    }

    /** Loads keys or values, with zeros to {@code width}, and rows of zeros to a whole step of keys. */
    private void loadRows(HeadRows source, int at, int keys, int dim, int width) {
        for (int j = 0; j < keys; j++) {
            source.load(at + j, at + j, rows[j]);
            Arrays.fill(rows[j], dim, width, 0f);
        }
        for (int j = keys; j < roundUp(keys, FloatTile.STEP); j++) {
            Arrays.fill(rows[j], 0, width, 0f);
        }
    }

    /** {@code scores = scale · K Qᵀ}. */
    private void score(int keys) {
        math.multiply(rows, roundUp(keys, FloatTile.PAIR), query, roundUp(headDim, FloatTile.STEP), scores, queries);
        for (int j = 0; j < keys; j++) {
            math.scale(spec.scale(), scores[j], queries);
        }
    }

    /** Turns scores into weights under the new peak, and brings the sum down to it. */
    private void weigh(int keys) {
        System.arraycopy(peak, 0, newPeak, 0, queries);
        for (int j = 0; j < keys; j++) {
            math.max(scores[j], newPeak, queries);
        }
        System.arraycopy(peak, 0, correction, 0, queries);
        math.subtract(newPeak, correction, queries);
        math.exp(correction, queries);
        Arrays.fill(tileSum, 0, queries, 0f);
        math.weigh(scores, keys, newPeak, tileSum, queries);
        math.rescaleAdd(correction, tileSum, sum, queries);
        for (int j = keys; j < roundUp(keys, FloatTile.STEP); j++) {
            Arrays.fill(scores[j], 0, queries, 0f);
        }
        System.arraycopy(newPeak, 0, peak, 0, queries);
    }

    /**
     * {@code output = correction · output + Vᵀ weights}.
     *
     * <p>A tile is summed by itself first: its roundings are those of its own size, not of all keys before it.
     */
    private void accumulate(int keys) {
        math.rescaleMultiplyAdd(correction, rows, roundUp(valueDim, FloatTile.PAIR), scores,
                roundUp(keys, FloatTile.STEP), output, queries);
    }

    private void store(int keys) {
        for (int i = 0; i < queries; i++) {
            float divisor = sum[i] == 0 ? 1f : sum[i];
            for (int d = 0; d < valueDim; d++) {
                // + 0: keys of weight 0 may have turned −0 into 0 for others, and shall not be seen by it.
                row[d] = output[d][i] / divisor + 0f;
            }
            results.output(first + i, row, valueDim);
            results.logSumExp(first + i, peak[i], sum[i]);
            results.pattern(first + i, peak[i], sum[i], firstTile(), rules.endKey(), keys);
        }
    }

    private static int roundUp(int size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }
}
