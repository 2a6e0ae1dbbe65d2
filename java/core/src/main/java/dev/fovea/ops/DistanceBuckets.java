package dev.fovea.ops;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.function.IntUnaryOperator;

/**
 * Which distances of key and query share a learned number: a bucket for each of −(keys − 1) … keys − 1. Immutable.
 */
public final class DistanceBuckets {
    private final int keys;
    private final int buckets;
    private final Tensor ofDistance;

    private DistanceBuckets(int keys, int buckets, IntUnaryOperator bucket) {
        if (keys < 1 || keys > Integer.MAX_VALUE / 2) {
            throw new IllegalArgumentException("expected 1 to " + Integer.MAX_VALUE / 2 + " keys, got " + keys);
        }
        if (buckets < 1) {
            throw new IllegalArgumentException("buckets must be at least 1, got " + buckets);
        }
        this.keys = keys;
        this.buckets = buckets;
        // Not closed by anyone: a constant that lives as long as an op refers to it.
        this.ofDistance = Tensor.allocate(Arena.ofAuto(), DType.I32, Shape.of(2L * keys - 1));
        for (int distance = 1 - keys; distance < keys; distance++) {
            int index = bucket.applyAsInt(distance);
            if (index < 0 || index >= buckets) {
                throw new IllegalArgumentException("expected a bucket below " + buckets + ", got " + index
                        + " for the distance " + distance);
            }
            ofDistance.segment().setAtIndex(ValueLayout.JAVA_INT, distance + keys - 1, index);
        }
    }

    /**
     * Any buckets.
     *
     * @param keys the longest sequence
     * @param buckets how many there are
     * @param bucket of a distance, key minus query
     */
    public static DistanceBuckets of(int keys, int buckets, IntUnaryOperator bucket) {
        return new DistanceBuckets(keys, buckets, bucket);
    }

    /**
     * Those of T5's encoder, Raffel et al., arXiv:1910.10683, section 2.1: half of them for keys behind the query; of
     * each half one per distance up to a half of it, and from there to {@code maxDistance} ever wider ones.
     *
     * @param buckets even; 32 in T5 and MPNet
     * @param maxDistance from which on all distances share a bucket; 128 in T5 and MPNet
     */
    public static DistanceBuckets t5(int keys, int buckets, int maxDistance) {
        int half = buckets / 2;
        int exact = half / 2;
        if (buckets % 2 != 0 || exact < 1 || maxDistance <= exact) {
            throw new IllegalArgumentException("expected an even number of at least 4 buckets and a max_distance above "
                    + exact + ", got " + buckets + " and " + maxDistance);
        }
        return new DistanceBuckets(keys, buckets, distance -> {
            int far = Math.abs(distance);
            // In single precision, as the models were trained: a distance at a border shall not change its bucket.
            float wide = (float) Math.log((float) far / exact) / (float) Math.log((double) maxDistance / exact) * (half - exact);
            int within = far < exact ? far : Math.min(half - 1, exact + (int) wide);
            return (distance > 0 ? half : 0) + within;
        });
    }

    /**
     * Those of T5's decoder, whose queries see no key behind them: one per distance up to a half of them, and from there to
     * {@code maxDistance} ever wider ones.
     *
     * @param buckets 32 in T5
     * @param maxDistance from which on all distances share a bucket; 128 in T5
     */
    public static DistanceBuckets t5Causal(int keys, int buckets, int maxDistance) {
        int exact = buckets / 2;
        if (exact < 1 || maxDistance <= exact) {
            throw new IllegalArgumentException("expected at least 2 buckets and a max_distance above " + exact + ", got "
                    + buckets + " and " + maxDistance);
        }
        return new DistanceBuckets(keys, buckets, distance -> {
            int far = Math.max(0, -distance);
            // In single precision, as the models were trained.
            float wide = (float) Math.log((float) far / exact) / (float) Math.log((double) maxDistance / exact) * (buckets - exact);
            return far < exact ? far : Math.min(buckets - 1, exact + (int) wide);
        });
    }

    /**
     * Those of DeBERTa, He et al., arXiv:2006.03654, section 3.1, of query minus key: one per distance up to a half of
     * them and, in the later DeBERTa v2, ever wider ones from there to {@code maxDistance}; arXiv:2111.09543.
     *
     * @param span buckets on each side of 0: the size of the table is twice that
     * @param logarithmic whether there are wide ones
     * @param maxDistance of those; 512 as a rule
     */
    public static DistanceBuckets deberta(int keys, int span, boolean logarithmic, int maxDistance) {
        int middle = span / 2;
        if (span < 1 || logarithmic && (middle < 2 || maxDistance - 1 <= middle)) {
            throw new IllegalArgumentException("expected a position_buckets of at least 4 and a max_position above "
                    + (middle + 1) + ", got " + span + " and " + maxDistance);
        }
        return new DistanceBuckets(keys, 2 * span, distance -> {
            int relative = -distance;
            int far = Math.abs(relative);
            if (logarithmic && far > middle) {
                // In single precision, as the models were trained.
                float wide = (float) Math.log((float) far / middle) / (float) Math.log((maxDistance - 1f) / middle)
                        * (middle - 1);
                relative = Integer.signum(relative) * ((int) Math.ceil(wide) + middle);
            }
            return Math.clamp(relative + span, 0, 2 * span - 1);
        });
    }

    /** The longest sequence. */
    public int keys() {
        return keys;
    }

    /** How many there are. */
    public int buckets() {
        return buckets;
    }

    /** I32 [2 keys − 1]: at {@code keys − 1 + d} the bucket of distance d, key minus query. */
    public Tensor ofDistance() {
        return ofDistance;
    }

    /** Such as {@code 32 buckets of distances below 512}. */
    @Override
    public String toString() {
        return buckets + " buckets of distances below " + keys;
    }
}
