package dev.fovea.internal.cpu;

import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_MATMUL;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_CALL_RAGGED_MATMUL;

import dev.fovea.internal.ffi.fovea_matmul_params;
import dev.fovea.internal.ffi.fovea_ragged_matmul_params;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The products of two tensors of {@link NativeKernels}, by OpenBLAS where it is on the class path; the first one loads it. */
final class NativeProducts {
    private final NativeEngine engine;
    private final Arena arena;
    private MemorySegment raggedMatmul;
    private MemorySegment matmul;
    private boolean blasLoaded;

    NativeProducts(NativeEngine engine, Arena arena) {
        this.engine = engine;
        this.arena = arena;
    }

    void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        if (matmul == null) {
            matmul = NativeKernels.sized(fovea_matmul_params.allocate(arena));
        }
        requireBlas();
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
        Status.check("matmul", Core.call(FOVEA_CALL_MATMUL(), engine.handle(), matmul, a.segment(), b.segment(),
                c.segment()));
    }

    void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        if (raggedMatmul == null) {
            raggedMatmul = NativeKernels.sized(fovea_ragged_matmul_params.allocate(arena));
        }
        requireBlas();
        fovea_ragged_matmul_params.sequences(raggedMatmul, sequences);
        fovea_ragged_matmul_params.k(raggedMatmul, (int) a.size(1));
        fovea_ragged_matmul_params.n(raggedMatmul, (int) (transposeA ? b.size(1) : out.size(1)));
        fovea_ragged_matmul_params.transpose_a(raggedMatmul, transposeA ? 1 : 0);
        fovea_ragged_matmul_params.a_stride(raggedMatmul, NativeKernels.rowStride(a));
        fovea_ragged_matmul_params.b_stride(raggedMatmul, NativeKernels.rowStride(b));
        fovea_ragged_matmul_params.out_stride(raggedMatmul, NativeKernels.rowStride(out));
        Status.check("ragged_matmul", Core.call(FOVEA_CALL_RAGGED_MATMUL(), engine.handle(), raggedMatmul, a.segment(),
                b.segment(), offsets.segment(), out.segment()));
    }

    private void requireBlas() {
        if (!blasLoaded) {
            engine.loadBlas();
            blasLoaded = true;
        }
    }

    private static long productStride(Tensor batch) {
        return Math.max(batch.stride(1), batch.size(2));
    }
}
