package dev.fovea;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Kernels whose every call works on copies of its tensors, which stand for uploads to a device and downloads from it. */
final class StagedKernels implements Kernels {
    private final Kernels kernels;

    StagedKernels(Kernels kernels) {
        this.kernels = kernels;
    }

    /** The copies of one call. Tensors that lie in the same memory share one copy. */
    private static final class Stage implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final Map<List<Long>, MemorySegment> copies = new HashMap<>();
        private final List<Runnable> downloads = new ArrayList<>();

        MemorySegment in(MemorySegment segment) {
            return copies.computeIfAbsent(List.of(segment.address(), segment.byteSize()), _ -> {
                MemorySegment copy = arena.allocate(segment.byteSize() + 64, 64)
                        .asSlice(segment.address() % 64, segment.byteSize());
                MemorySegment.copy(segment, 0, copy, 0, segment.byteSize());
                return copy;
            });
        }

        Tensor in(Tensor tensor) {
            if (tensor == null) {
                return null;
            }
            long[] strides = new long[tensor.rank()];
            for (int i = 0; i < strides.length; i++) {
                strides[i] = tensor.stride(i);
            }
            return Tensor.of(in(tensor.segment()), tensor.dtype(), tensor.shape(), strides);
        }

        Tensor out(Tensor tensor) {
            Tensor copy = in(tensor);
            if (tensor != null) {
                downloads.add(() -> MemorySegment.copy(copy.segment(), 0, tensor.segment(), 0,
                        tensor.segment().byteSize()));
            }
            return copy;
        }

        void download() {
            downloads.forEach(Runnable::run);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    private interface Work {
        void on(Stage stage);
    }

    private static void stage(Work work) {
        try (var stage = new Stage()) {
            work.on(stage);
            stage.download();
        }
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        stage(s -> kernels.embedding(sequences, s.in(ids), s.in(offsets), s.in(starts), words, scale,
                s.in(positions), firstPosition, s.in(type), s.out(out)));
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        stage(s -> kernels.layerNorm(rows, s.in(x), s.in(gamma), s.in(beta), epsilon, s.out(out)));
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        stage(s -> kernels.rmsNorm(rows, s.in(x), s.in(gamma), epsilon, s.out(out)));
    }

    @Override
    public String packing() {
        return kernels.packing();
    }

    @Override
    public long packedBytes(int outputs, int inputs, Layout kept) {
        return kernels.packedBytes(outputs, inputs, kept);
    }

    @Override
    public void pack(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory) {
        kernels.pack(part, firstOutput, outputs, kept, memory);
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        stage(s -> {
            var packed = new PackedLinear(s.in(weight.data()), weight.outputs(), weight.inputs(), weight.kept(),
                    weight.layout());
            kernels.linear(rows, s.in(x), packed, s.in(bias), activation, s.in(residual), s.out(out));
        });
    }

    @Override
    public void add(int rows, Tensor a, Tensor b, Tensor out) {
        stage(s -> kernels.add(rows, s.in(a), s.in(b), s.out(out)));
    }

    @Override
    public void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        stage(s -> kernels.multiply(rows, s.in(a), activation, s.in(b), s.out(out)));
    }

    @Override
    public void activate(int rows, Tensor x, Activation activation, Tensor out) {
        stage(s -> kernels.activate(rows, s.in(x), activation, s.out(out)));
    }

    @Override
    public void normalize(int rows, Tensor x, Tensor out) {
        stage(s -> kernels.normalize(rows, s.in(x), s.out(out)));
    }

    @Override
    public void logSoftmax(int rows, Tensor x, Tensor out) {
        stage(s -> kernels.logSoftmax(rows, s.in(x), s.out(out)));
    }

    @Override
    public void topK(int rows, Tensor x, Tensor indices) {
        stage(s -> kernels.topK(rows, s.in(x), s.out(indices)));
    }

    @Override
    public void relativeBias(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets,
            Tensor offsets, Tensor out) {
        stage(s -> kernels.relativeBias(sequences, heads, s.in(byQuery), s.in(byKey), buckets, s.in(offsets),
                s.out(out)));
    }

    @Override
    public void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        stage(s -> kernels.gather(rows, s.in(x), s.in(indices), s.out(out)));
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        stage(s -> kernels.matmul(s.in(a), s.in(b), transposeB, alpha, s.out(c)));
    }

    @Override
    public void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        stage(s -> kernels.raggedMatmul(sequences, s.in(offsets), s.in(a), s.in(b), transposeA, s.out(out)));
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        stage(s -> kernels.pool(sequences, s.in(x), s.in(offsets), mode, normalize, s.out(out)));
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        return kernels.attentionScratchBytes(spec);
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands t, Tensor qOffsets, Tensor kvOffsets,
            Tensor pages, Tensor scratch) {
        stage(s -> kernels.attention(sequences, spec, new AttentionOperands(s.in(t.q()), s.in(t.k()), s.in(t.v()),
                s.in(t.mask()), s.in(t.bias()), s.out(t.out()), s.out(t.lse()), s.out(t.weights())), s.in(qOffsets),
                s.in(kvOffsets), s.in(pages), s.in(scratch)));
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        stage(s -> kernels.cacheAppend(sequences, rope, s.in(k), s.in(v), s.in(offsets), s.in(lengths), s.in(pages),
                s.out(keyPages), s.out(valuePages)));
    }
}
