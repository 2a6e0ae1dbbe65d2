package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.attention.Rope;
import dev.fovea.graph.Activation;
import dev.fovea.graph.Pooling;
import dev.fovea.internal.ffi.FoveaH;
import dev.fovea.internal.ffi.fovea_attention_params;
import dev.fovea.internal.ffi.fovea_cache_append_params;
import dev.fovea.internal.ffi.fovea_embedding_params;
import dev.fovea.internal.ffi.fovea_layer_norm_params;
import dev.fovea.internal.ffi.fovea_linear_pack_params;
import dev.fovea.internal.ffi.fovea_linear_params;
import dev.fovea.internal.ffi.fovea_matmul_params;
import dev.fovea.internal.ffi.fovea_memory_options;
import dev.fovea.internal.ffi.fovea_pool_params;
import dev.fovea.internal.ffi.fovea_rms_norm_params;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Function;

/**
 * Kernels of the C core: checks, then fills the op's params struct and makes one downcall.
 *
 * <p>The structs live in the session's arena. Tensors are arguments of the call, which keeps their
 * arenas open as long as it runs.
 */
final class NativeKernels implements Kernels {
    private final NativeEngine engine;
    private final MemorySegment memory;
    private final MemorySegment embedding;
    private final MemorySegment layerNorm;
    private final MemorySegment rmsNorm;
    private final MemorySegment linearPack;
    private final MemorySegment linear;
    private final MemorySegment matmul;
    private final MemorySegment attention;
    private final MemorySegment cacheAppend;
    private final MemorySegment pool;
    private final MemorySegment bytes;
    private final MemorySegment address;
    private boolean blasLoaded;

    NativeKernels(NativeEngine engine, Arena arena) {
        this.engine = engine;
        memory = struct(fovea_memory_options::allocate, arena);
        embedding = struct(fovea_embedding_params::allocate, arena);
        layerNorm = struct(fovea_layer_norm_params::allocate, arena);
        rmsNorm = struct(fovea_rms_norm_params::allocate, arena);
        linearPack = struct(fovea_linear_pack_params::allocate, arena);
        linear = struct(fovea_linear_params::allocate, arena);
        matmul = struct(fovea_matmul_params::allocate, arena);
        attention = struct(fovea_attention_params::allocate, arena);
        cacheAppend = struct(fovea_cache_append_params::allocate, arena);
        pool = struct(fovea_pool_params::allocate, arena);
        bytes = arena.allocate(ValueLayout.JAVA_LONG);
        address = arena.allocate(ValueLayout.ADDRESS);
    }

    /** A zeroed params struct whose first field is its size. */
    private static MemorySegment struct(Function<SegmentAllocator, MemorySegment> allocate, Arena arena) {
        MemorySegment struct = allocate.apply(arena);
        struct.set(ValueLayout.JAVA_INT, 0, (int) struct.byteSize());
        return struct;
    }

    private static MemorySegment orNull(Tensor tensor) {
        return tensor == null ? MemorySegment.NULL : tensor.segment();
    }

    @Override
    public Backend backend() {
        return Backend.NATIVE;
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Tensor words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        Contract.embedding(sequences, ids, offsets, starts, words, scale, positions, firstPosition, type, out);
        fovea_embedding_params.sequences(embedding, sequences);
        fovea_embedding_params.width(embedding, (int) words.size(1));
        fovea_embedding_params.vocabulary(embedding, (int) words.size(0));
        fovea_embedding_params.positions(embedding, positions == null ? 0 : (int) positions.size(0));
        fovea_embedding_params.first_position(embedding, firstPosition);
        fovea_embedding_params.scale(embedding, scale);
        fovea_embedding_params.out_stride(embedding, rowStride(out));
        Status.check("embedding", FoveaH.fovea_embedding(engine.handle(), embedding, ids.segment(), offsets.segment(),
                orNull(starts), words.segment(), orNull(positions), orNull(type), out.segment()));
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        Contract.layerNorm(rows, x, gamma, beta, epsilon, out);
        fovea_layer_norm_params.rows(layerNorm, rows);
        fovea_layer_norm_params.width(layerNorm, (int) x.size(1));
        fovea_layer_norm_params.epsilon(layerNorm, epsilon);
        fovea_layer_norm_params.x_stride(layerNorm, rowStride(x));
        fovea_layer_norm_params.out_stride(layerNorm, rowStride(out));
        Status.check("layer_norm", FoveaH.fovea_layer_norm(engine.handle(), layerNorm, x.segment(), gamma.segment(),
                beta.segment(), out.segment()));
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        Contract.rmsNorm(rows, x, gamma, epsilon, out);
        fovea_rms_norm_params.rows(rmsNorm, rows);
        fovea_rms_norm_params.width(rmsNorm, (int) x.size(1));
        fovea_rms_norm_params.epsilon(rmsNorm, epsilon);
        fovea_rms_norm_params.x_stride(rmsNorm, rowStride(x));
        fovea_rms_norm_params.out_stride(rmsNorm, rowStride(out));
        Status.check("rms_norm", FoveaH.fovea_rms_norm(engine.handle(), rmsNorm, x.segment(), gamma.segment(),
                out.segment()));
    }

    @Override
    public MemorySegment allocate(Arena arena, long bytes) {
        fovea_memory_options.bytes(memory, bytes);
        int status = FoveaH.fovea_memory_create(memory, address);
        if (status == FoveaH.FOVEA_STATUS_OUT_OF_MEMORY() || status == FoveaH.FOVEA_STATUS_OVERFLOW()) {
            throw new OutOfMemoryError("the system has no " + bytes + " bytes of memory");
        }
        Status.check("memory", status);
        return address.get(ValueLayout.ADDRESS, 0).reinterpret(bytes, arena, FoveaH::fovea_memory_destroy);
    }

    @Override
    public long packedBytes(int outputs, int inputs, DType dtype) {
        Contract.packed(outputs, inputs, dtype);
        fovea_linear_pack_params.outputs(linearPack, outputs);
        fovea_linear_pack_params.inputs(linearPack, inputs);
        fovea_linear_pack_params.dtype(linearPack, switch (dtype) {
            case BF16 -> FoveaH.FOVEA_DTYPE_BF16();
            case I8 -> FoveaH.FOVEA_DTYPE_I8();
            default -> FoveaH.FOVEA_DTYPE_F32();
        });
        Status.check("linear_pack", FoveaH.fovea_linear_packed_bytes(engine.handle(), linearPack, bytes));
        return bytes.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public PackedLinear pack(Tensor weight, DType dtype, MemorySegment memory) {
        Contract.pack(weight, dtype);
        int outputs = (int) weight.size(0);
        int inputs = (int) weight.size(1);
        Expect.memory("memory", memory, ALIGNMENT, packedBytes(outputs, inputs, dtype));
        fovea_linear_pack_params.output_stride(linearPack, weight.stride(0));
        fovea_linear_pack_params.input_stride(linearPack, weight.stride(1));
        fovea_linear_pack_params.packed_bytes(linearPack, memory.byteSize());
        Status.check("linear_pack",
                FoveaH.fovea_linear_pack(engine.handle(), linearPack, weight.segment(), memory));
        return new PackedLinear(memory, outputs, inputs, dtype, engine.isa());
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        Contract.linear(rows, x, weight, bias, activation, residual, out, engine.isa());
        fovea_linear_params.rows(linear, rows);
        fovea_linear_params.inputs(linear, weight.inputs());
        fovea_linear_params.outputs(linear, weight.outputs());
        fovea_linear_params.activation(linear, switch (activation) {
            case NONE -> FoveaH.FOVEA_ACTIVATION_NONE();
            case GELU_ERF -> FoveaH.FOVEA_ACTIVATION_GELU_ERF();
            case GELU_TANH -> FoveaH.FOVEA_ACTIVATION_GELU_TANH();
            case RELU -> FoveaH.FOVEA_ACTIVATION_RELU();
            case SILU -> FoveaH.FOVEA_ACTIVATION_SILU();
        });
        fovea_linear_params.packed_bytes(linear, weight.data().byteSize());
        fovea_linear_params.x_stride(linear, rowStride(x));
        fovea_linear_params.residual_stride(linear, residual == null ? 0 : rowStride(residual));
        fovea_linear_params.out_stride(linear, rowStride(out));
        Status.check("linear", FoveaH.fovea_linear(engine.handle(), linear, x.segment(), weight.data(), orNull(bias),
                orNull(residual), out.segment()));
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        Contract.matmul(a, b, transposeB, alpha, c);
        if (!blasLoaded) {
            engine.loadBlas();
            blasLoaded = true;
        }
        fovea_matmul_params.batch(matmul, (int) a.size(0));
        fovea_matmul_params.m(matmul, (int) a.size(1));
        fovea_matmul_params.n(matmul, (int) c.size(2));
        fovea_matmul_params.k(matmul, (int) a.size(2));
        fovea_matmul_params.transpose_b(matmul, transposeB ? 1 : 0);
        fovea_matmul_params.alpha(matmul, alpha);
        fovea_matmul_params.a_stride(matmul, productStride(a));
        fovea_matmul_params.b_stride(matmul, productStride(b));
        fovea_matmul_params.c_stride(matmul, productStride(c));
        fovea_matmul_params.a_batch_stride(matmul, a.stride(0));
        fovea_matmul_params.b_batch_stride(matmul, b.stride(0));
        fovea_matmul_params.c_batch_stride(matmul, c.stride(0));
        Status.check("matmul",
                FoveaH.fovea_matmul(engine.handle(), matmul, a.segment(), b.segment(), c.segment()));
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        Objects.requireNonNull(spec, "spec");
        fovea_attention_params.heads(attention, spec.heads());
        fovea_attention_params.kv_heads(attention, spec.kvHeads());
        fovea_attention_params.head_dim(attention, spec.headDim());
        fovea_attention_params.value_dim(attention, spec.valueDim());
        Status.check("attention", FoveaH.fovea_attention_scratch_bytes(engine.handle(), attention, bytes));
        return bytes.get(ValueLayout.JAVA_LONG, 0);
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionTensors t, Tensor k, Tensor v, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch) {
        AttentionContract.attention(sequences, spec, t, k, v, qOffsets, kvOffsets, pages, scratch,
                attentionScratchBytes(spec));
        AttentionParams.set(attention, sequences, spec, t, k, v, pages, scratch);
        Status.check("attention", FoveaH.fovea_attention(engine.handle(), attention, t.q().segment(), k.segment(),
                v.segment(), qOffsets.segment(), kvOffsets.segment(), orNull(pages), orNull(t.mask()),
                orNull(t.bias()), spec.alibi() == null ? MemorySegment.NULL : spec.alibi().slopes().segment(),
                spec.rope() == null ? MemorySegment.NULL : spec.rope().table().segment(), scratch.segment(),
                t.out().segment(), orNull(t.lse()), orNull(t.weights())));
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        CacheContract.append(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
        AttentionParams.set(cacheAppend, sequences, rope, k, v, pages, keyPages, valuePages);
        Status.check("cache_append", FoveaH.fovea_cache_append(engine.handle(), cacheAppend, k.segment(), v.segment(),
                offsets.segment(), lengths.segment(), pages.segment(),
                rope == null ? MemorySegment.NULL : rope.table().segment(), keyPages.segment(),
                valuePages.segment()));
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        Contract.pool(sequences, x, offsets, mode, out);
        fovea_pool_params.sequences(pool, sequences);
        fovea_pool_params.width(pool, (int) x.size(1));
        fovea_pool_params.mode(pool, switch (mode) {
            case MEAN -> FoveaH.FOVEA_POOLING_MEAN();
            case CLS -> FoveaH.FOVEA_POOLING_CLS();
            case LAST -> FoveaH.FOVEA_POOLING_LAST();
        });
        fovea_pool_params.normalize(pool, normalize ? 1 : 0);
        fovea_pool_params.x_stride(pool, rowStride(x));
        fovea_pool_params.out_stride(pool, rowStride(out));
        Status.check("pool",
                FoveaH.fovea_pool(engine.handle(), pool, x.segment(), offsets.segment(), out.segment()));
    }

    /** The stride between rows of a matrix; of a single row, whose stride means nothing, its width. */
    private static long rowStride(Tensor matrix) {
        return Math.max(matrix.stride(0), matrix.size(1));
    }

    private static long productStride(Tensor batch) {
        return Math.max(batch.stride(1), batch.size(2));
    }
}
