package dev.fovea.examples;

import dev.fovea.Engine;
import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.attention.KvCache;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Attention on its own: over two sequences at once, its pattern, and token by token from a cache. */
public final class AttentionExample {
    private static final int TOKENS = 7;
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int DIM = 16;

    private AttentionExample() {}

    public static void main(String[] args) {
        run(System.out);
    }

    static void run(PrintStream print) {
        // Grouped-query attention with rotary positions, where no token looks ahead.
        AttentionSpec spec = AttentionSpec.of(HEADS, DIM)
                .withKvHeads(KV_HEADS)
                .withMask(Mask.causal())
                .withRope(Rope.of(Rope.Layout.HALF, DIM, 10_000, 128));

        try (Engine engine = Engine.create();
                Attention attention = Attention.create(engine, spec);
                Arena arena = Arena.ofConfined()) {
            // What a fused QKV product leaves: [tokens, query heads | key heads | value heads], read in place.
            Tensor fused = random(arena, TOKENS, (HEADS + 2 * KV_HEADS) * DIM);
            Tensor q = heads(fused, 0, HEADS);
            Tensor k = heads(fused, HEADS, KV_HEADS);
            Tensor v = heads(fused, HEADS + KV_HEADS, KV_HEADS);
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, HEADS, DIM));

            // Sequences of 4 and 3 tokens, one after the other, no padding.
            Tensor offsets = Tensor.copyOf(arena, new int[] {0, 4, TOKENS});
            Tensor weights = Tensor.allocate(arena, DType.F32, Shape.of(HEADS, TOKENS, 4));
            attention.run(AttentionTensors.of(q, k, v, out).withOffsets(offsets, offsets).withWeights(weights));
            print.println("Who attends to whom in the first sequence, head 0:");
            for (int query = 0; query < 4; query++) {
                print.printf("  %.2f  %.2f  %.2f  %.2f%n", weights.getFloat(0, query, 0),
                        weights.getFloat(0, query, 1), weights.getFloat(0, query, 2), weights.getFloat(0, query, 3));
            }

            print.println("The first sequence again, a token at a time: "
                    + (sameBits(attention, engine, q, k, v, out, arena) ? "the same bits" : "OTHER BITS"));
        }
    }

    /** Decodes the first sequence with a cache, and compares it with what one call over all of it gave. */
    private static boolean sameBits(Attention attention, Engine engine, Tensor q, Tensor k, Tensor v, Tensor all,
            Arena arena) {
        Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(1, HEADS, DIM));
        try (KvCache cache = KvCache.create(engine, attention.spec(), 1, 128)) {
            for (int t = 0; t < 4; t++) {
                cache.append(0, token(k, t), token(v, t));
                attention.run(AttentionTensors.of(token(q, t), cache, out));
                if (out.segment().mismatch(token(all, t).segment().asSlice(0, out.segment().byteSize())) >= 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Heads of a fused product as [tokens, heads, dim]. */
    private static Tensor heads(Tensor fused, int first, int heads) {
        return Tensor.of(fused.segment().asSlice((long) first * DIM * Float.BYTES), DType.F32,
                Shape.of(TOKENS, heads, DIM), fused.stride(0), DIM, 1);
    }

    /** One token of [tokens, heads, dim]. */
    private static Tensor token(Tensor tokens, int token) {
        return Tensor.of(tokens.segment().asSlice(token * tokens.stride(0) * Float.BYTES), DType.F32,
                Shape.of(1, tokens.size(1), DIM), tokens.stride(0), DIM, 1);
    }

    private static Tensor random(Arena arena, int rows, int columns) {
        Random random = new Random(1);
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(rows, columns));
        for (int i = 0; i < rows * columns; i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, 2 * random.nextFloat() - 1);
        }
        return tensor;
    }
}
