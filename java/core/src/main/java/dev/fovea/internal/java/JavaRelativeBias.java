package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.ops.DistanceBuckets;
import dev.fovea.tensor.Tensor;

/** What the distance of key and query adds to scores, on the Java backends. */
final class JavaRelativeBias {
    private JavaRelativeBias() {}

    static void fill(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets, Tensor offsets,
            Tensor out) {
        for (int s = 0; s < sequences; s++) {
            int first = offsets.segment().getAtIndex(JAVA_INT, s);
            int count = offsets.segment().getAtIndex(JAVA_INT, s + 1) - first;
            for (int i = 0; i < count; i++) {
                for (int head = 0; head < heads; head++) {
                    fillRow(i, first, count, head, byQuery, byKey, buckets, out);
                }
            }
        }
    }

    private static void fillRow(int i, int first, int count, int head, Tensor byQuery, Tensor byKey,
            DistanceBuckets buckets, Tensor out) {
        long query = (byQuery.size(0) == 1 ? 0 : (first + i) * byQuery.stride(0)) + (long) head * buckets.buckets();
        long at = (first + i) * out.stride(0) + (long) head * buckets.keys();
        for (int j = 0; j < count; j++) {
            int bucket = buckets.ofDistance().segment().getAtIndex(JAVA_INT, buckets.keys() - 1L + j - i);
            float value = byQuery.segment().getAtIndex(JAVA_FLOAT, query + bucket);
            if (byKey != null) {
                long key = (first + j) * byKey.stride(0) + (long) head * buckets.buckets();
                value += byKey.segment().getAtIndex(JAVA_FLOAT, key + bucket);
            }
            out.segment().setAtIndex(JAVA_FLOAT, at + j, value);
        }
    }
}
