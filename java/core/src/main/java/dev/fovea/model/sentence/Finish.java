package dev.fovea.model.sentence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Makes texts' vectors of what a graph yields, in double, one after the other: the poolings that no op computes, and
 * what comes behind. Allocates only when it is made. Serves one thread at a time.
 */
public final class Finish {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final SentencePipeline pipeline;
    private final double[] first;
    private final double[] second;
    /** One of the two: what has been computed so far. */
    private double[] value;

    Finish(SentencePipeline pipeline) {
        this.pipeline = pipeline;
        int most = Math.multiplyExact(pipeline.config().pooling().size(), pipeline.width());
        for (SentenceModule module : pipeline.config().behind()) {
            most = Math.max(most, module.outputs(most));
        }
        this.first = new double[most];
        this.second = new double[most];
    }

    /**
     * Computes a text's vector.
     *
     * @param rows F32 [≥ begin + count, width]: vectors of tokens, or the one that the graph pooled
     * @param begin the text's first row
     * @param count its rows; of 0, the vector is 0
     * @param skipped rows at the beginning that are not pooled
     */
    public void read(MemorySegment rows, long begin, int count, int skipped) {
        value = first;
        int components = pipeline.width();
        if (count == 0) {
            Arrays.fill(value, 0);
            return;
        }
        if (!pipeline.readsTokens()) {
            copy(rows, begin, 0);
        } else {
            components = 0;
            int from = pipeline.config().includePrompt() ? 0 : Math.clamp(skipped, 0, count - 1);
            for (PoolingMode mode : pipeline.config().pooling()) {
                pool(mode, rows, begin, count, from, components);
                components += pipeline.width();
            }
        }
        for (VectorStage stage : pipeline.stages()) {
            double[] next = value == first ? second : first;
            stage.apply(value, components, next);
            components = stage.outputs(components);
            value = next;
        }
    }

    /** Writes the vector before the normalisation that comes last, all components; F32 at row {@code row}. */
    public void writePooled(MemorySegment out, long row) {
        write(out, row, pipeline.components(), 1);
    }

    /** Writes the vector; F32 [dimension] at row {@code row}. */
    public void write(MemorySegment out, long row) {
        int dimension = pipeline.dimension();
        write(out, row, dimension,
                pipeline.config().normalizes() ? VectorStage.UnitLength.length(value, dimension) : 1);
    }

    private void write(MemorySegment out, long row, int components, double divisor) {
        for (int i = 0; i < components; i++) {
            out.set(FLOAT, (row * components + i) * Float.BYTES, (float) (value[i] / divisor));
        }
    }

    /** Pools the rows from {@code from} on into the components from {@code at} on. */
    private void pool(PoolingMode mode, MemorySegment rows, long begin, int count, int from, int at) {
        switch (mode) {
            case CLS -> copy(rows, begin, at);
            case FINAL_TOKEN -> copy(rows, begin + count - 1, at);
            case MAX -> {
                copy(rows, begin + from, at);
                for (int t = from + 1; t < count; t++) {
                    long row = (begin + t) * pipeline.width() * Float.BYTES;
                    for (int i = 0; i < pipeline.width(); i++) {
                        value[at + i] = Math.max(value[at + i], rows.get(FLOAT, row + (long) i * Float.BYTES));
                    }
                }
            }
            case MEAN -> sum(rows, begin, count, from, at, false, count - from);
            case MEAN_SQRT_LEN_TOKENS -> sum(rows, begin, count, from, at, false, Math.sqrt(count - from));
            case WEIGHTED_MEAN -> {
                double weights = (double) count * (count + 1) / 2 - (double) from * (from + 1) / 2;
                sum(rows, begin, count, from, at, true, weights);
            }
        }
    }

    private void sum(MemorySegment rows, long begin, int count, int from, int at, boolean byPlace, double divisor) {
        Arrays.fill(value, at, at + pipeline.width(), 0);
        for (int t = from; t < count; t++) {
            long row = (begin + t) * pipeline.width() * Float.BYTES;
            double weight = (byPlace ? t + 1 : 1) / divisor;
            for (int i = 0; i < pipeline.width(); i++) {
                value[at + i] += weight * rows.get(FLOAT, row + (long) i * Float.BYTES);
            }
        }
    }

    private void copy(MemorySegment rows, long row, int at) {
        for (int i = 0; i < pipeline.width(); i++) {
            value[at + i] = rows.get(FLOAT, (row * pipeline.width() + i) * Float.BYTES);
        }
    }
}
