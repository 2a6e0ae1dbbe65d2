package dev.fovea.bench.attention;

import java.util.Random;

/**
 * What every side is given, with values in (−1, 1).
 *
 * @param query [heads, tokens, head_dim]
 * @param key [heads, tokens, head_dim]
 * @param value [heads, tokens, head_dim]
 */
record AttentionInputs(float[] query, float[] key, float[] value) {
    /** Queries of so many elements, and keys and values of so many each. */
    static AttentionInputs random(int queryElements, int keyElements) {
        Random random = new Random(42);
        return new AttentionInputs(
                values(random, queryElements), values(random, keyElements), values(random, keyElements));
    }

    /** Self-attention: of as many elements each. */
    static AttentionInputs random(int elements) {
        return random(elements, elements);
    }

    private static float[] values(Random random, int elements) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }
}
