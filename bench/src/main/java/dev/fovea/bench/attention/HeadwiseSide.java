package dev.fovea.bench.attention;

import dev.fovea.bench.vector.VectorProduct;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Stream;

/** A side in Java: heap arrays, the heads shared out over the common pool. */
final class HeadwiseSide implements AttentionSide {
    private final AttentionWork work;
    private final AttentionInputs inputs;
    private final float[] out;
    private final HeadAttention[] workers;
    private final String setting;

    private HeadwiseSide(AttentionWork work, AttentionInputs inputs,
            Function<AttentionWork, HeadAttention> attention, String setting) {
        this.work = work;
        this.inputs = inputs;
        this.setting = "heap arrays [heads, tokens, head_dim]; " + setting;
        out = new float[work.elements()];
        workers = Stream.generate(() -> attention.apply(work)).limit(work.threads()).toArray(HeadAttention[]::new);
    }

    static AttentionSide scalarNaive(AttentionWork work, AttentionInputs inputs) {
        return new HeadwiseSide(work, inputs, NaiveAttention::new, "three loops over all scores of a head");
    }

    static AttentionSide scalarTiled(AttentionWork work, AttentionInputs inputs) {
        return new HeadwiseSide(work, inputs, ScalarTiledAttention::new,
                "online softmax over tiles, in loops that C2 vectorises");
    }

    static AttentionSide vectorTiled(AttentionWork work, AttentionInputs inputs) {
        return new HeadwiseSide(work, inputs, VectorTiledAttention::new,
                "online softmax over tiles, " + VectorProduct.description());
    }

    @Override
    public void attend() {
        int head = work.tokens() * work.headDim();
        Parallel.run(workers.length, work.heads(), (worker, begin, end) -> {
            for (int h = begin; h < end; h++) {
                workers[worker].attend(inputs, out, h * head);
            }
        });
    }

    @Override
    public float[] result() {
        return out.clone();
    }

    @Override
    public long scratchBytes() {
        return Arrays.stream(workers).mapToLong(HeadAttention::scratchBytes).sum();
    }

    @Override
    public String setting() {
        return setting;
    }
}
