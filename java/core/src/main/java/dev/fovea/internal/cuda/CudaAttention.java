package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.cpu.AttentionParams;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.ffi.fovea_attention_params;
import dev.fovea.internal.ffi.fovea_cache_append_params;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Attention on tensors of the host, which every call brings to the GPU and back. Trusts its arguments. */
final class CudaAttention implements DirectAttention {
    private final MemorySegment handle;
    private final CudaFailure failure;
    private final MemorySegment attention;
    private final MemorySegment cacheAppend;

    private CudaAttention(MemorySegment handle, Arena arena) {
        this.handle = handle;
        this.failure = new CudaFailure(arena);
        this.attention = fovea_attention_params.allocate(arena);
        fovea_attention_params.struct_size(attention, (int) fovea_attention_params.sizeof());
        this.cacheAppend = fovea_cache_append_params.allocate(arena);
        fovea_cache_append_params.struct_size(cacheAppend, (int) fovea_cache_append_params.sizeof());
    }

    /** What it holds on the GPU lives in {@code arena}, as its structs do. */
    static CudaAttention create(CudaContext context, Arena arena) {
        context.enter();
        boolean done = false;
        try (Arena call = Arena.ofConfined()) {
            var failure = new CudaFailure(call);
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            failure.check("attention",
                    FoveaCudaH.fovea_cuda_direct_create(context.handle(), failure.struct(), out));
            MemorySegment handle = out.get(ValueLayout.ADDRESS, 0).reinterpret(arena, direct -> {
                FoveaCudaH.fovea_cuda_direct_destroy(direct);
                context.exit();
            });
            done = true;
            return new CudaAttention(handle, arena);
        } finally {
            if (!done) {
                context.exit();
            }
        }
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        return 0;
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands t, Tensor qOffsets, Tensor kvOffsets,
            Tensor pages, Tensor scratch) {
        AttentionParams.set(attention, sequences, spec, t, pages, scratch);
        failure.check("attention", FoveaCudaH.fovea_cuda_attention(handle, attention, t.q().segment(),
                t.k().segment(), t.v().segment(), qOffsets.segment(), kvOffsets.segment(), orNull(pages),
                orNull(t.mask()), orNull(t.bias()), spec.alibi() == null ? MemorySegment.NULL
                        : spec.alibi().slopes().segment(), table(spec.rope()), failure.struct(), t.out().segment(),
                orNull(t.lse()), orNull(t.weights())));
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        AttentionParams.set(cacheAppend, sequences, rope, k, v, pages, keyPages, valuePages);
        failure.check("cache_append", FoveaCudaH.fovea_cuda_cache_append(handle, cacheAppend, k.segment(),
                v.segment(), offsets.segment(), lengths.segment(), pages.segment(), table(rope), failure.struct(),
                keyPages.segment(), valuePages.segment()));
    }

    private static MemorySegment table(Rope rope) {
        return rope == null ? MemorySegment.NULL : rope.table().segment();
    }

    private static MemorySegment orNull(Tensor tensor) {
        return tensor == null ? MemorySegment.NULL : tensor.segment();
    }
}
