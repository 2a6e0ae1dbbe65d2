package dev.fovea.bench.attention;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * PyTorch's {@code scaled_dot_product_attention} on the CPU, on one thread, without dropout.
 *
 * <p>Which kernel runs is PyTorch's choice: a fused one where head_dim equals value_dim, otherwise a matrix product, a
 * softmax and another product. Both agree where values are finite. At the edges PyTorch 2.10 does as follows:
 *
 * <ul>
 *   <li>A query whose keys are all hidden, by either kind of mask, gets zeros, and so does one without keys.
 *   <li>A NaN in a value or a key reaches also the queries that a mask hides it from: 0·NaN and −∞+NaN are NaN.
 *       {@code is_causal} keeps it from the queries before it in the fused kernel alone, and there only if it is a key's.
 *   <li>A NaN in a query gives NaN, but zeros from the fused kernel where there are fewer keys than floats in a vector
 *       and no mask.
 * </ul>
 */
final class TorchAttention {
    private static final double NO_DROPOUT = 0;

    static {
        torch.set_num_threads(1);
        // PyTorch's number is OpenMP's, and this OpenBLAS has threads of its own.
        openblas.blas_set_num_threads(1);
    }

    private TorchAttention() {}

    /**
     * The attention of every query.
     *
     * @param query [batch, heads, queries, head_dim]
     * @param key [batch, kv_heads, keys, head_dim]
     * @param value [batch, kv_heads, keys, value_dim]
     * @return [batch, heads, queries, value_dim]
     * @throws IllegalArgumentException if an array is not of its shape's size, or if there is a mask beside
     *     {@code is_causal}: PyTorch forbids the two together, though its fused kernel applies both
     */
    static float[] attend(
            AttentionShape shape, AttentionOptions options, float[] query, float[] key, float[] value) {
        if (options.causal() && options.mask() != null) {
            throw new IllegalArgumentException("expected is_causal or a mask, got both");
        }
        try (var _ = new PointerScope()) {
            return values(torch.scaled_dot_product_attention(
                    tensor("query", query, shape.query()),
                    tensor("key", key, shape.key()),
                    tensor("value", value, shape.value()),
                    mask(options.mask(), shape),
                    NO_DROPOUT,
                    options.causal(),
                    scale(options),
                    shape.heads() != shape.kvHeads()));
        }
    }

    private static Tensor tensor(String name, float[] values, long[] sizes) {
        checkLength(name, values.length, sizes);
        return Tensor.create(values, sizes);
    }

    private static TensorOptional mask(AttentionMask mask, AttentionShape shape) {
        if (mask == null) {
            return new TensorOptional();
        }
        long[] sizes = {mask.batch(), mask.heads(), shape.queries(), shape.keys()};
        return new TensorOptional(switch (mask) {
            case AttentionMask.Keep keep -> {
                checkLength("mask", keep.values().length, sizes);
                yield Tensor.create(keep.values(), sizes);
            }
            case AttentionMask.Bias bias -> tensor("mask", bias.values(), sizes);
        });
    }

    private static DoubleOptional scale(AttentionOptions options) {
        return options.scale().isPresent()
                ? new DoubleOptional(options.scale().getAsDouble())
                : new DoubleOptional();
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        // The memory of a tensor without values has no address.
        if (values.length > 0) {
            // PyTorch promises no layout of the result.
            new FloatPointer(tensor.contiguous().data_ptr()).get(values);
        }
        return values;
    }

    private static void checkLength(String name, int length, long[] sizes) {
        int expected = AttentionShape.elements(sizes);
        if (length != expected) {
            throw new IllegalArgumentException(
                    "expected " + expected + " values in " + name + " " + Arrays.toString(sizes) + ", got " + length);
        }
    }
}
