package dev.fovea.internal.host;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/** Arguments that fit, each of which a case replaces: sequences of 1 and 3 queries and 2 and 4 keys. */
final class AttentionArguments implements AutoCloseable {
    final Engine engine;
    final Arena arena = Arena.ofShared();
    final Kernels kernels;
    int sequences = 2;
    AttentionSpec spec = AttentionSpec.of(2, 4).withKvHeads(1).withValueDim(3);
    Tensor q;
    Tensor k;
    Tensor v;
    Tensor qOffsets;
    Tensor kvOffsets;
    Tensor pages;
    Tensor mask;
    Tensor bias;
    Tensor out;
    Tensor lse;
    Tensor weights;
    Tensor scratch;

    AttentionArguments(TestEngine backend) {
        engine = backend.create();
        kernels = TestKernels.of(engine, arena);
        q = f32(4, 2, 4);
        k = f32(6, 1, 4);
        v = f32(6, 1, 3);
        qOffsets = i32(0, 1, 4);
        kvOffsets = i32(0, 2, 6);
        out = f32(4, 2, 3);
        scratch = Tensor.allocate(arena, DType.I8, Shape.of(Math.max(64, kernels.attentionScratchBytes(spec))));
    }

    Tensor f32(long... sizes) {
        return of(DType.F32, sizes);
    }

    Tensor of(DType dtype, long... sizes) {
        return Tensor.allocate(arena, dtype, Shape.of(sizes));
    }

    Tensor i32(int... values) {
        return Tensor.copyOf(arena, values);
    }

    /** Zeros under these strides. */
    Tensor strided(long[] sizes, long... strides) {
        return Tensor.of(arena.allocate(8192, 64), DType.F32, Shape.of(sizes), strides);
    }

    /** From a byte on. */
    Tensor shifted(DType dtype, int bytes, long... sizes) {
        return Tensor.of(arena.allocate(4096, 64).asSlice(bytes), dtype, Shape.of(sizes));
    }

    Tensor closed(long... sizes) {
        try (Arena brief = Arena.ofShared()) {
            return Tensor.allocate(brief, DType.F32, Shape.of(sizes));
        }
    }

    Tensor readOnly(long... sizes) {
        return Tensor.of(f32(sizes).segment().asReadOnly(), DType.F32, Shape.of(sizes));
    }

    Tensor confined(long... sizes) {
        Tensor[] result = new Tensor[1];
        var thread = new Thread(() -> result[0] = Tensor.allocate(Arena.ofConfined(), DType.F32, Shape.of(sizes)));
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return result[0];
    }

    /** Pages 1 for the first sequence and 0 for the second. */
    void paged() {
        k = f32(3, 1, 128, 4);
        v = f32(3, 1, 128, 3);
        pages = table(1, 1, 0);
    }

    /** Rows of page numbers. */
    Tensor table(int columns, int... numbers) {
        return Tensor.of(i32(numbers).segment(), DType.I32, Shape.of(numbers.length / columns, columns));
    }

    void attend() {
        var tensors = new AttentionOperands(q, k, v, mask, bias, out, lse, weights);
        kernels.attention(sequences, spec, tensors, qOffsets, kvOffsets, pages, scratch);
    }

    /** With a null. */
    void attend(Tensor k, Tensor v, Tensor kvOffsets) {
        var tensors = new AttentionOperands(q, k, v, mask, bias, out, lse, weights);
        kernels.attention(sequences, spec, tensors, qOffsets, kvOffsets, pages, scratch);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        engine.close();
    }
}
