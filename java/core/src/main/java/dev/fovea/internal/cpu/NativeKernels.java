package dev.fovea.internal.cpu;

import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_ATTENTION;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_ATTENTION_SCRATCH_BYTES;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_CACHE_APPEND;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_ELEMENTWISE;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_EMBEDDING;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_GATHER;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_LAYER_NORM;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_LINEAR;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_LINEAR_PACK;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_LINEAR_PACKED_BYTES;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_LOG_SOFTMAX;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_NORMALIZE;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_POOL;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_RELATIVE_BIAS;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_RMS_NORM;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_TOP_K;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_ELEMENTWISE_ACTIVATE;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_ELEMENTWISE_ADD;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_ELEMENTWISE_MULTIPLY;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.ffi.fovea_attention_params;
import dev.fovea.internal.ffi.fovea_cache_append_params;
import dev.fovea.internal.ffi.fovea_elementwise_params;
import dev.fovea.internal.ffi.fovea_embedding_params;
import dev.fovea.internal.ffi.fovea_gather_params;
import dev.fovea.internal.ffi.fovea_layer_norm_params;
import dev.fovea.internal.ffi.fovea_linear_pack_params;
import dev.fovea.internal.ffi.fovea_linear_params;
import dev.fovea.internal.ffi.fovea_log_softmax_params;
import dev.fovea.internal.ffi.fovea_normalize_params;
import dev.fovea.internal.ffi.fovea_pool_params;
import dev.fovea.internal.ffi.fovea_relative_bias_params;
import dev.fovea.internal.ffi.fovea_rms_norm_params;
import dev.fovea.internal.ffi.fovea_top_k_params;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Kernels of the C core: fills the op's params struct and makes one downcall.
 *
 * <p>The structs live in the session's arena. Tensors are arguments of the call, which keeps their
 * arenas open as long as it runs.
 */
final class NativeKernels implements Kernels {
    /** Rows that are widened at a time, where a weight has to be. */
    private static final int WIDENED_ROWS = 64;

    private final NativeEngine engine;
    private final Arena arena;
    // Made when first needed: each class of the bindings that a start does not load is half a millisecond less.
    private MemorySegment embedding;
    private MemorySegment layerNorm;
    private MemorySegment rmsNorm;
    private MemorySegment linearPack;
    private MemorySegment linear;
    private MemorySegment elementwise;
    private MemorySegment normalize;
    private MemorySegment logSoftmax;
    private MemorySegment topK;
    private MemorySegment gather;
    private MemorySegment relativeBias;
    private MemorySegment attention;
    private MemorySegment cacheAppend;
    private MemorySegment pool;
    private final MemorySegment bytes;
    private final NativeProducts products;

    NativeKernels(NativeEngine engine, Arena arena) {
        this.engine = engine;
        this.arena = arena;
        bytes = arena.allocate(ValueLayout.JAVA_LONG);
        products = new NativeProducts(engine, arena);
    }

    /** A zeroed params struct, to whose first field its size is written. */
    static MemorySegment sized(MemorySegment struct) {
        struct.set(ValueLayout.JAVA_INT, 0, (int) struct.byteSize());
        return struct;
    }

    private static MemorySegment orNull(Tensor tensor) {
        return tensor == null ? MemorySegment.NULL : tensor.segment();
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        if (embedding == null) {
            embedding = sized(fovea_embedding_params.allocate(arena));
        }
        fovea_embedding_params.sequences(embedding, sequences);
        fovea_embedding_params.width(embedding, (int) words.size(1));
        fovea_embedding_params.vocabulary(embedding, (int) words.size(0));
        fovea_embedding_params.positions(embedding, positions == null ? 0 : (int) positions.size(0));
        fovea_embedding_params.first_position(embedding, firstPosition);
        fovea_embedding_params.scale(embedding, scale);
        fovea_embedding_params.words_layout(embedding, words.layout().code());
        fovea_embedding_params.scale_stride(embedding, scaleStride(words));
        fovea_embedding_params.out_stride(embedding, rowStride(out));
        Status.check("embedding", Core.call(FOVEA_CALL_EMBEDDING(), engine.handle(), embedding, ids.segment(),
                offsets.segment(), orNull(starts), words.segment(), orNull(words.scales()), orNull(words.zeroPoints()),
                orNull(positions), orNull(type), out.segment()));
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        if (layerNorm == null) {
            layerNorm = sized(fovea_layer_norm_params.allocate(arena));
        }
        fovea_layer_norm_params.rows(layerNorm, rows);
        fovea_layer_norm_params.width(layerNorm, (int) x.size(1));
        fovea_layer_norm_params.epsilon(layerNorm, epsilon);
        fovea_layer_norm_params.x_stride(layerNorm, rowStride(x));
        fovea_layer_norm_params.out_stride(layerNorm, rowStride(out));
        Status.check("layer_norm", Core.call(FOVEA_CALL_LAYER_NORM(), engine.handle(), layerNorm, x.segment(),
                gamma.segment(), beta.segment(), out.segment()));
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        if (rmsNorm == null) {
            rmsNorm = sized(fovea_rms_norm_params.allocate(arena));
        }
        fovea_rms_norm_params.rows(rmsNorm, rows);
        fovea_rms_norm_params.width(rmsNorm, (int) x.size(1));
        fovea_rms_norm_params.epsilon(rmsNorm, epsilon);
        fovea_rms_norm_params.x_stride(rmsNorm, rowStride(x));
        fovea_rms_norm_params.out_stride(rmsNorm, rowStride(out));
        Status.check("rms_norm", Core.call(FOVEA_CALL_RMS_NORM(), engine.handle(), rmsNorm, x.segment(),
                gamma.segment(), out.segment()));
    }

    @Override
    public String packing() {
        return engine.isa();
    }

    @Override
    public long packedBytes(int outputs, int inputs, Layout kept) {
        if (linearPack == null) {
            linearPack = sized(fovea_linear_pack_params.allocate(arena));
        }
        fovea_linear_pack_params.outputs(linearPack, outputs);
        fovea_linear_pack_params.inputs(linearPack, inputs);
        fovea_linear_pack_params.dtype(linearPack, kept.code());
        Status.check("linear_pack", Core.call(FOVEA_CALL_LINEAR_PACKED_BYTES(), engine.handle(), linearPack, bytes));
        return bytes.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public void pack(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory) {
        if (scaleStride(part) != 0 && part.scaleDimension() == 1) {
            packWidened(part, firstOutput, outputs, kept, memory);
            return;
        }
        packedBytes(outputs, (int) part.size(1), kept);
        fovea_linear_pack_params.layout(linearPack, part.layout().code());
        fovea_linear_pack_params.first_output(linearPack, firstOutput);
        fovea_linear_pack_params.part_outputs(linearPack, (int) part.size(0));
        fovea_linear_pack_params.output_stride(linearPack, part.stride(0));
        fovea_linear_pack_params.input_stride(linearPack, part.stride(1));
        fovea_linear_pack_params.scale_stride(linearPack, scaleStride(part));
        fovea_linear_pack_params.packed_bytes(linearPack, memory.byteSize());
        Status.check("linear_pack", Core.call(FOVEA_CALL_LINEAR_PACK(), engine.handle(), linearPack, part.segment(),
                orNull(part.scales()), orNull(part.zeroPoints()), memory));
    }

    /** Packs a weight whose inputs have scales, which the kernel does not know: some rows at a time, read as F32. */
    private void packWidened(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory) {
        int inputs = (int) part.size(1);
        float[] row = new float[inputs];
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment rows = Tensor.allocate(scratch, DType.F32, Shape.of(WIDENED_ROWS, inputs)).segment();
            for (int begin = 0; begin < part.size(0); begin += WIDENED_ROWS) {
                int count = (int) Math.min(WIDENED_ROWS, part.size(0) - begin);
                for (int r = 0; r < count; r++) {
                    part.read(begin + r, 0, inputs, row, 0);
                    MemorySegment.copy(row, 0, rows, ValueLayout.JAVA_FLOAT, (long) r * inputs * Float.BYTES, inputs);
                }
                Weight step = Weight.of(Tensor.of(rows, DType.F32, Shape.of(count, inputs)));
                pack(step, firstOutput + begin, outputs, kept, memory);
            }
        }
    }

    /** Between the scales of neighbouring rows; 0 where one is for all. */
    private static int scaleStride(Weight weight) {
        return weight.scales() == null || weight.scales().size(0) == 1 ? 0 : 1;
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        if (linear == null) {
            linear = sized(fovea_linear_params.allocate(arena));
        }
        fovea_linear_params.rows(linear, rows);
        fovea_linear_params.inputs(linear, weight.inputs());
        fovea_linear_params.outputs(linear, weight.outputs());
        fovea_linear_params.activation(linear, Codes.of(activation));
        fovea_linear_params.packed_bytes(linear, weight.data().byteSize());
        fovea_linear_params.x_stride(linear, rowStride(x));
        fovea_linear_params.residual_stride(linear, residual == null ? 0 : rowStride(residual));
        fovea_linear_params.out_stride(linear, rowStride(out));
        Status.check("linear", Core.call(FOVEA_CALL_LINEAR(), engine.handle(), linear, x.segment(), weight.data(),
                orNull(bias), orNull(residual), out.segment()));
    }

    @Override
    public void add(int rows, Tensor a, Tensor b, Tensor out) {
        elementwise(FOVEA_ELEMENTWISE_ADD(), rows, a, Activation.NONE, b, out);
    }

    @Override
    public void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        elementwise(FOVEA_ELEMENTWISE_MULTIPLY(), rows, a, activation, b, out);
    }

    @Override
    public void activate(int rows, Tensor x, Activation activation, Tensor out) {
        elementwise(FOVEA_ELEMENTWISE_ACTIVATE(), rows, x, activation, null, out);
    }

    private void elementwise(int op, int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        if (elementwise == null) {
            elementwise = sized(fovea_elementwise_params.allocate(arena));
        }
        fovea_elementwise_params.rows(elementwise, rows);
        fovea_elementwise_params.width(elementwise, (int) a.size(1));
        fovea_elementwise_params.op(elementwise, op);
        fovea_elementwise_params.activation(elementwise, Codes.of(activation));
        fovea_elementwise_params.a_stride(elementwise, rowStride(a));
        fovea_elementwise_params.b_stride(elementwise, b == null ? 0 : rowStride(b));
        fovea_elementwise_params.out_stride(elementwise, rowStride(out));
        Status.check("elementwise", Core.call(FOVEA_CALL_ELEMENTWISE(), engine.handle(), elementwise, a.segment(),
                orNull(b), out.segment()));
    }

    @Override
    public void normalize(int rows, Tensor x, Tensor out) {
        if (normalize == null) {
            normalize = sized(fovea_normalize_params.allocate(arena));
        }
        fovea_normalize_params.rows(normalize, rows);
        fovea_normalize_params.width(normalize, (int) x.size(1));
        fovea_normalize_params.x_stride(normalize, rowStride(x));
        fovea_normalize_params.out_stride(normalize, rowStride(out));
        Status.check("normalize", Core.call(FOVEA_CALL_NORMALIZE(), engine.handle(), normalize, x.segment(),
                out.segment()));
    }

    @Override
    public void logSoftmax(int rows, Tensor x, Tensor out) {
        if (logSoftmax == null) {
            logSoftmax = sized(fovea_log_softmax_params.allocate(arena));
        }
        fovea_log_softmax_params.rows(logSoftmax, rows);
        fovea_log_softmax_params.width(logSoftmax, (int) x.size(1));
        fovea_log_softmax_params.x_stride(logSoftmax, rowStride(x));
        fovea_log_softmax_params.out_stride(logSoftmax, rowStride(out));
        Status.check("log_softmax", Core.call(FOVEA_CALL_LOG_SOFTMAX(), engine.handle(), logSoftmax, x.segment(),
                out.segment()));
    }

    @Override
    public void topK(int rows, Tensor x, Tensor indices) {
        if (topK == null) {
            topK = sized(fovea_top_k_params.allocate(arena));
        }
        fovea_top_k_params.rows(topK, rows);
        fovea_top_k_params.width(topK, (int) x.size(1));
        fovea_top_k_params.k(topK, (int) indices.size(1));
        fovea_top_k_params.x_stride(topK, rowStride(x));
        fovea_top_k_params.indices_stride(topK, rowStride(indices));
        Status.check("top_k", Core.call(FOVEA_CALL_TOP_K(), engine.handle(), topK, x.segment(), indices.segment()));
    }

    @Override
    public void relativeBias(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets,
            Tensor offsets, Tensor out) {
        if (relativeBias == null) {
            relativeBias = sized(fovea_relative_bias_params.allocate(arena));
        }
        fovea_relative_bias_params.sequences(relativeBias, sequences);
        fovea_relative_bias_params.heads(relativeBias, heads);
        fovea_relative_bias_params.buckets(relativeBias, buckets.buckets());
        fovea_relative_bias_params.keys(relativeBias, buckets.keys());
        fovea_relative_bias_params.by_query_stride(relativeBias, byQuery.size(0) == 1 ? 0 : rowStride(byQuery));
        fovea_relative_bias_params.by_key_stride(relativeBias, byKey == null ? 0 : rowStride(byKey));
        fovea_relative_bias_params.out_stride(relativeBias, rowStride(out));
        Status.check("relative bias", Core.call(FOVEA_CALL_RELATIVE_BIAS(), engine.handle(), relativeBias,
                byQuery.segment(), orNull(byKey), buckets.ofDistance().segment(), offsets.segment(), out.segment()));
    }

    @Override
    public void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        if (gather == null) {
            gather = sized(fovea_gather_params.allocate(arena));
        }
        fovea_gather_params.rows(gather, rows);
        fovea_gather_params.width(gather, (int) x.size(1));
        fovea_gather_params.k(gather, (int) indices.size(1));
        fovea_gather_params.x_stride(gather, rowStride(x));
        fovea_gather_params.indices_stride(gather, rowStride(indices));
        fovea_gather_params.out_stride(gather, rowStride(out));
        Status.check("gather", Core.call(FOVEA_CALL_GATHER(), engine.handle(), gather, x.segment(), indices.segment(),
                out.segment()));
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        products.matmul(a, b, transposeB, alpha, c);
    }

    @Override
    public void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        products.raggedMatmul(sequences, offsets, a, b, transposeA, out);
    }

    private void prepareAttention() {
        if (attention == null) {
            attention = sized(fovea_attention_params.allocate(arena));
        }
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        prepareAttention();
        fovea_attention_params.heads(attention, spec.heads());
        fovea_attention_params.kv_heads(attention, spec.kvHeads());
        fovea_attention_params.head_dim(attention, spec.headDim());
        fovea_attention_params.value_dim(attention, spec.valueDim());
        Status.check("attention", Core.call(FOVEA_CALL_ATTENTION_SCRATCH_BYTES(), engine.shared(), attention, bytes));
        return bytes.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands t, Tensor qOffsets, Tensor kvOffsets,
            Tensor pages, Tensor scratch) {
        prepareAttention();
        AttentionParams.set(attention, sequences, spec, t, pages, scratch);
        Status.check("attention", Core.call(FOVEA_CALL_ATTENTION(), engine.handle(), attention, t.q().segment(),
                t.k().segment(), t.v().segment(), qOffsets.segment(), kvOffsets.segment(), orNull(pages),
                orNull(t.mask()), orNull(t.bias()),
                spec.alibi() == null ? MemorySegment.NULL : spec.alibi().slopes().segment(),
                spec.rope() == null ? MemorySegment.NULL : spec.rope().table().segment(), scratch.segment(),
                t.out().segment(), orNull(t.lse()), orNull(t.weights())));
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        if (cacheAppend == null) {
            cacheAppend = sized(fovea_cache_append_params.allocate(arena));
        }
        AttentionParams.set(cacheAppend, sequences, rope, k, v, pages, keyPages, valuePages);
        Status.check("cache_append", Core.call(FOVEA_CALL_CACHE_APPEND(), engine.handle(), cacheAppend, k.segment(),
                v.segment(), offsets.segment(), lengths.segment(), pages.segment(),
                rope == null ? MemorySegment.NULL : rope.table().segment(), keyPages.segment(), valuePages.segment()));
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        if (pool == null) {
            pool = sized(fovea_pool_params.allocate(arena));
        }
        fovea_pool_params.sequences(pool, sequences);
        fovea_pool_params.width(pool, (int) x.size(1));
        fovea_pool_params.mode(pool, Codes.of(mode));
        fovea_pool_params.normalize(pool, normalize ? 1 : 0);
        fovea_pool_params.x_stride(pool, rowStride(x));
        fovea_pool_params.out_stride(pool, rowStride(out));
        Status.check("pool", Core.call(FOVEA_CALL_POOL(), engine.handle(), pool, x.segment(), offsets.segment(),
                out.segment()));
    }

    /** The stride between rows of a matrix; of a single row, whose stride means nothing, its width. */
    static long rowStride(Tensor matrix) {
        return Math.max(matrix.stride(0), matrix.size(1));
    }
}
