package dev.fovea.bench.attention;

/** As a textbook has it, in plain Java: all scores of a head, their softmax, then the weighted sums. */
final class NaiveAttention implements HeadAttention {
    private final AttentionWork work;
    private final float[] scores; // [tokens, tokens]

    NaiveAttention(AttentionWork work) {
        this.work = work;
        scores = new float[Math.multiplyExact(work.tokens(), work.tokens())];
    }

    @Override
    public void attend(AttentionInputs inputs, float[] out, int at) {
        for (int i = 0; i < work.tokens(); i++) {
            score(inputs, at, i);
        }
        for (int i = 0; i < work.tokens(); i++) {
            softmax(i);
        }
        for (int i = 0; i < work.tokens(); i++) {
            sum(inputs.value(), out, at, i);
        }
    }

    private void score(AttentionInputs inputs, int at, int i) {
        int d = work.headDim();
        for (int j = 0; j < work.keysOf(i); j++) {
            float sum = 0;
            for (int c = 0; c < d; c++) {
                sum += inputs.query()[at + i * d + c] * inputs.key()[at + j * d + c];
            }
            scores[i * work.tokens() + j] = work.scale() * sum;
        }
    }

    private void softmax(int i) {
        int row = i * work.tokens();
        int end = row + work.keysOf(i);
        float max = Float.NEGATIVE_INFINITY;
        for (int j = row; j < end; j++) {
            max = Math.max(max, scores[j]);
        }
        float sum = 0;
        for (int j = row; j < end; j++) {
            scores[j] = (float) Math.exp(scores[j] - max);
            sum += scores[j];
        }
        for (int j = row; j < end; j++) {
            scores[j] /= sum;
        }
    }

    private void sum(float[] value, float[] out, int at, int i) {
        int d = work.headDim();
        int row = at + i * d;
        for (int c = 0; c < d; c++) {
            out[row + c] = 0;
        }
        for (int j = 0; j < work.keysOf(i); j++) {
            float weight = scores[i * work.tokens() + j];
            for (int c = 0; c < d; c++) {
                out[row + c] += weight * value[at + j * d + c];
            }
        }
    }

    @Override
    public long scratchBytes() {
        return (long) scores.length * Float.BYTES;
    }
}
