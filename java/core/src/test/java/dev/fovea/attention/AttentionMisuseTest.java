package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Misuse of an attention ends in the documented exception, which names what is wrong; nothing is written then. */
class AttentionMisuseTest {
    private static final Class<IllegalArgumentException> BAD = IllegalArgumentException.class;
    private static final Class<IllegalStateException> CLOSED = IllegalStateException.class;
    private static final Class<NullPointerException> MISSING = NullPointerException.class;

    /** Arguments that fit, of two sequences with 1 and 3 queries, 2 and 4 keys: each case replaces one. */
    private static final class Setup implements AutoCloseable {
        final Engine engine;
        final Arena arena = Arena.ofShared();
        final AttentionSpec spec = AttentionSpec.of(2, 4).withValueDim(5);
        final Attention attention;
        final KvCache cache;
        final Tensor q = f32(4, 2, 4);
        final Tensor k = f32(6, 2, 4);
        final Tensor v = f32(6, 2, 5);
        final Tensor out = f32(4, 2, 5);
        final Tensor starts = i32(0, 1, 4);
        final Tensor kvStarts = i32(0, 2, 6);

        Setup(TestEngine backend) {
            engine = backend.create();
            attention = Attention.create(engine, spec);
            cache = KvCache.create(engine, spec, 2, 10);
            out.segment().fill((byte) 7);
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

        Tensor closed(long... sizes) {
            try (Arena brief = Arena.ofShared()) {
                return Tensor.allocate(brief, DType.F32, Shape.of(sizes));
            }
        }

        Tensor foreign(long... sizes) {
            return CompletableFuture
                    .supplyAsync(() -> Tensor.allocate(Arena.ofConfined(), DType.F32, Shape.of(sizes)), Setup::start)
                    .join();
        }

        private static void start(Runnable task) {
            Thread.ofPlatform().daemon().start(task);
        }

        /** The elements of a tensor under other strides. */
        Tensor strided(Tensor tensor, long... strides) {
            return Tensor.of(of(tensor.dtype(), 4096).segment(), tensor.dtype(), tensor.shape(), strides);
        }

        AttentionTensors tensors(Tensor q, Tensor k, Tensor v, Tensor out) {
            return AttentionTensors.of(q, k, v, out).withOffsets(starts, kvStarts);
        }

        AttentionTensors tensors() {
            return tensors(q, k, v, out);
        }

        AttentionTensors cached() {
            return AttentionTensors.of(q, cache, out).withOffsets(starts);
        }

        void run(Tensor q, Tensor k, Tensor v, Tensor out) {
            attention.run(tensors(q, k, v, out));
        }

        void run(AttentionSpec other, AttentionTensors tensors) {
            try (var brief = Attention.create(engine, other)) {
                brief.run(tensors);
            }
        }

        void runCached(AttentionSpec other) {
            try (var brief = KvCache.create(engine, other, 2, 10)) {
                attention.run(AttentionTensors.of(q, brief, out).withOffsets(starts));
            }
        }

        @Override
        public void close() {
            attention.close();
            cache.close();
            if (arena.scope().isAlive()) {
                arena.close();
            }
            engine.close();
        }
    }

    private interface Call {
        void on(Setup s);
    }

    /** @param names what the message must contain */
    private record Case(String name, Class<? extends Exception> thrown, Call call, String... names) {}

    private static final List<Case> TENSORS = List.of(
            new Case("no q", MISSING, s -> s.run(null, s.k, s.v, s.out), "q"),
            new Case("no k", MISSING, s -> s.run(s.q, null, s.v, s.out), "k"),
            new Case("no v", MISSING, s -> s.run(s.q, s.k, null, s.out), "v"),
            new Case("no out", MISSING, s -> s.run(s.q, s.k, s.v, null), "out"),
            new Case("no cache", MISSING, s -> AttentionTensors.of(s.q, null, s.out), "cache"),
            new Case("no offsets", MISSING, s -> s.tensors().withOffsets(null, s.kvStarts), "qOffsets"),
            new Case("no key offsets", MISSING, s -> s.tensors().withOffsets(s.starts, null), "kvOffsets"),
            new Case("no mask", MISSING, s -> s.tensors().withMask(null), "mask"),
            new Case("no bias", MISSING, s -> s.tensors().withBias(null), "bias"),
            new Case("no lse", MISSING, s -> s.tensors().withLse(null), "lse"),
            new Case("no weights", MISSING, s -> s.tensors().withWeights(null), "weights"),
            new Case("no tensors", MISSING, s -> s.attention.run(null)),
            new Case("q of rank 2", BAD, s -> s.run(s.f32(4, 8), s.k, s.v, s.out), "[4, 8]", "q"),
            new Case("v of rank 2", BAD, s -> s.run(s.q, s.k, s.f32(6, 10), s.out), "[6, 10]", "v"),
            new Case("out of rank 5", BAD, s -> s.run(s.q, s.k, s.v, s.f32(1, 1, 4, 2, 5)), "[1, 1, 4, 2, 5]", "out"),
            new Case("q of another head_dim", BAD, s -> s.run(s.f32(4, 2, 3), s.k, s.v, s.out), "4", "3", "q"),
            new Case("q of other heads", BAD, s -> s.run(s.f32(4, 3, 4), s.k, s.v, s.out), "2", "3", "q"),
            new Case("k of another head_dim", BAD, s -> s.run(s.q, s.f32(6, 2, 9), s.v, s.out), "4", "9", "k"),
            new Case("k of other heads", BAD, s -> s.run(s.q, s.f32(6, 1, 4), s.v, s.out), "2", "1", "k"),
            new Case("v of another value_dim", BAD, s -> s.run(s.q, s.k, s.f32(6, 2, 4), s.out), "5", "4", "v"),
            new Case("v of other heads", BAD, s -> s.run(s.q, s.k, s.f32(6, 4, 5), s.out), "2", "4", "v"),
            new Case("out of another value_dim", BAD, s -> s.run(s.q, s.k, s.v, s.f32(4, 2, 8)), "5", "8", "out"),
            new Case("out of other heads", BAD, s -> s.run(s.q, s.k, s.v, s.f32(4, 6, 5)), "2", "6", "out"),
            new Case("too few queries", BAD, s -> s.run(s.f32(3, 2, 4), s.k, s.v, s.out), "4", "3", "q"),
            new Case("too few keys", BAD, s -> s.run(s.q, s.f32(5, 2, 4), s.v, s.out), "6", "5", "k"),
            new Case("too few values", BAD, s -> s.run(s.q, s.k, s.f32(4, 2, 5), s.out), "6", "4", "v"),
            new Case("too few results", BAD, s -> s.run(s.q, s.k, s.v, s.f32(2, 2, 5)), "4", "2", "out"),
            new Case("a batch of too few", BAD, s -> s.run(s.f32(1, 4, 2, 4), s.k, s.v, s.out), "2", "1", "q"),
            new Case("a batch of too short", BAD, s -> s.run(s.q, s.f32(2, 3, 2, 4), s.v, s.out), "4", "3", "k"),
            new Case("a batch of results too short", BAD,
                    s -> s.run(s.q, s.k, s.v, s.f32(2, 2, 2, 5)), "3", "2", "out"),
            new Case("q of integers", BAD, s -> s.run(s.of(DType.I32, 4, 2, 4), s.k, s.v, s.out), "I32", "q"),
            new Case("k of bytes", BAD, s -> s.run(s.q, s.of(DType.I8, 6, 2, 4), s.v, s.out), "I8", "k"),
            new Case("v of another type than k", BAD,
                    s -> s.run(s.q, s.k, s.of(DType.F16, 6, 2, 5), s.out), "F32", "F16"),
            new Case("out in half precision", BAD, s -> s.run(s.q, s.k, s.v, s.of(DType.BF16, 4, 2, 5)), "F32", "BF16"),
            new Case("q by columns", BAD, s -> s.run(s.strided(s.q, 64, 16, 2), s.k, s.v, s.out), "stride", "2", "q"),
            new Case("v by columns", BAD, s -> s.run(s.q, s.k, s.strided(s.v, 64, 20, 3), s.out), "stride", "3", "v"),
            new Case("out of tokens that overlap", BAD,
                    s -> s.run(s.q, s.k, s.v, s.strided(s.out, 6, 5, 1)), "6", "out"),
            new Case("out of heads that overlap", BAD,
                    s -> s.run(s.q, s.k, s.v, s.strided(s.out, 10, 0, 1)), "0", "out"),
            new Case("out over q", BAD, s -> s.run(Tensor.of(s.out.segment(), DType.F32, s.q.shape()), s.k, s.v, s.out),
                    "out", "q"),
            new Case("out over k", BAD, s -> {
                Tensor memory = s.f32(200);
                s.run(s.q, Tensor.of(memory.segment().asSlice(80), DType.F32, s.k.shape()), s.v,
                        Tensor.of(memory.segment(), DType.F32, s.out.shape()));
            }, "out", "k"),
            new Case("out over v", BAD, s -> s.run(s.q, s.k, s.v, Tensor.of(s.v.segment(), DType.F32, s.out.shape())),
                    "out", "v"),
            new Case("out read-only", BAD, s -> s.run(s.q, s.k, s.v,
                    Tensor.of(s.out.segment().asReadOnly(), DType.F32, s.out.shape())), "out", "read-only"),
            new Case("q on a closed arena", CLOSED, s -> s.run(s.closed(4, 2, 4), s.k, s.v, s.out), "q"),
            new Case("v on a closed arena", CLOSED, s -> s.run(s.q, s.k, s.closed(6, 2, 5), s.out), "v"),
            new Case("out on a closed arena", CLOSED, s -> s.run(s.q, s.k, s.v, s.closed(4, 2, 5)), "out"),
            new Case("k of another thread", WrongThreadException.class,
                    s -> s.run(s.q, s.foreign(6, 2, 4), s.v, s.out), "k"),
            new Case("out of another thread", WrongThreadException.class,
                    s -> s.run(s.q, s.k, s.v, s.foreign(4, 2, 5)), "out"));

    private static final List<Case> OPTIONS = List.of(
            new Case("a negative count", BAD, s -> s.attention.run(-1, s.tensors()), "-1"),
            new Case("a count past the offsets", BAD, s -> s.attention.run(3, s.tensors()), "3"),
            new Case("offsets of floats", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.f32(3), s.kvStarts)), "I32", "F32"),
            new Case("offsets of rank 2", BAD,
                    s -> s.attention.run(1, s.tensors().withOffsets(s.of(DType.I32, 3, 1), s.kvStarts)), "[3, 1]"),
            new Case("offsets that begin late", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.i32(1, 2, 4), s.kvStarts)), "0", "1"),
            new Case("key offsets that decrease", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.starts, s.i32(0, 5, 4))), "5", "4"),
            new Case("key offsets of fewer sequences", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.starts, s.i32(0, 6))), "2"),
            new Case("offsets past the queries", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.i32(0, 1, 9), s.kvStarts)), "9", "4", "q"),
            new Case("offsets past the keys", BAD,
                    s -> s.attention.run(s.tensors().withOffsets(s.starts, s.i32(0, 2, 7))), "7", "6", "k"),
            new Case("a mask of floats", BAD,
                    s -> s.attention.run(s.tensors().withMask(s.f32(3, 4))), "U8", "F32", "mask"),
            new Case("a mask of rank 3", BAD,
                    s -> s.attention.run(s.tensors().withMask(s.of(DType.U8, 1, 3, 4))), "[1, 3, 4]", "mask"),
            new Case("a mask of too few queries", BAD,
                    s -> s.attention.run(s.tensors().withMask(s.of(DType.U8, 2, 4))), "3", "2", "mask"),
            new Case("a mask of too few keys", BAD,
                    s -> s.attention.run(s.tensors().withMask(s.of(DType.U8, 3, 3))), "4", "3", "mask"),
            new Case("a mask of other heads", BAD,
                    s -> s.attention.run(s.tensors().withMask(s.of(DType.U8, 1, 3, 3, 4))), "2", "3", "mask"),
            new Case("a mask of fewer sequences", BAD, s -> s.attention.run(AttentionTensors
                    .of(s.f32(3, 1, 2, 4), s.f32(3, 1, 2, 4), s.f32(3, 1, 2, 5), s.f32(3, 1, 2, 5))
                    .withMask(s.of(DType.U8, 2, 1, 1, 1))), "3", "2", "mask"),
            new Case("a mask by columns", BAD, s -> s.attention.run(s.tensors().withMask(
                    s.of(DType.U8, 4, 3).transpose(0, 1))), "stride", "3", "mask"),
            new Case("a bias of bytes", BAD,
                    s -> s.attention.run(s.tensors().withBias(s.of(DType.U8, 3, 4))), "F32", "U8", "bias"),
            new Case("a bias of too few keys", BAD, s -> s.attention.run(s.tensors().withBias(s.f32(1, 2))), "4", "2",
                    "bias"),
            new Case("a bias of other heads", BAD, s -> s.attention.run(s.tensors().withBias(s.f32(2, 5, 3, 4))), "2",
                    "5", "bias"),
            new Case("a bias by query of other heads", BAD,
                    s -> s.attention.run(s.tensors().withBias(s.f32(4, 5, 4))), "heads 2", "5", "bias"),
            new Case("a bias by query of too few queries", BAD,
                    s -> s.attention.run(s.tensors().withBias(s.f32(2, 2, 4))), "4 queries", "2", "bias"),
            new Case("a bias by query of too few keys", BAD,
                    s -> s.attention.run(s.tensors().withBias(s.f32(4, 2, 3))), "4 keys", "3", "bias"),
            new Case("a bias on a closed arena", CLOSED,
                    s -> s.attention.run(s.tensors().withBias(s.closed(3, 4))), "bias"),
            new Case("an lse of other heads", BAD,
                    s -> s.attention.run(s.tensors().withLse(s.f32(3, 4))), "2", "3", "lse"),
            new Case("an lse too short", BAD, s -> s.attention.run(s.tensors().withLse(s.f32(2, 3))), "4", "3", "lse"),
            new Case("an lse of rank 1", BAD, s -> s.attention.run(s.tensors().withLse(s.f32(8))), "[8]", "lse"),
            new Case("an lse in half precision", BAD,
                    s -> s.attention.run(s.tensors().withLse(s.of(DType.F16, 2, 4))), "F32", "F16", "lse"),
            new Case("an lse over out", BAD, s -> s.attention.run(s.tensors().withLse(
                    Tensor.of(s.out.segment(), DType.F32, Shape.of(2, 4)))), "lse", "out"),
            new Case("an lse over q", BAD, s -> s.attention.run(s.tensors().withLse(
                    Tensor.of(s.q.segment(), DType.F32, Shape.of(2, 4)))), "lse", "q"),
            new Case("an lse read-only", BAD, s -> s.attention.run(s.tensors().withLse(
                    Tensor.of(s.f32(8).segment().asReadOnly(), DType.F32, Shape.of(2, 4)))), "lse", "read-only"),
            new Case("weights of other heads", BAD,
                    s -> s.attention.run(s.tensors().withWeights(s.f32(1, 4, 4))), "2", "1", "weights"),
            new Case("weights of too few queries", BAD,
                    s -> s.attention.run(s.tensors().withWeights(s.f32(2, 3, 4))), "4", "3", "weights"),
            new Case("weights of too few keys", BAD,
                    s -> s.attention.run(s.tensors().withWeights(s.f32(2, 4, 3))), "4", "3", "weights"),
            new Case("weights over v", BAD, s -> s.attention.run(s.tensors().withWeights(
                    Tensor.of(s.v.segment(), DType.F32, Shape.of(2, 4, 4)))), "weights", "v"),
            new Case("keys past RoPE's positions", BAD,
                    s -> s.run(s.spec.withRope(Rope.of(Rope.Layout.HALF, 4, 10_000, 3)), s.tensors()), "2", "3"),
            new Case("queries before RoPE's positions", BAD,
                    s -> s.run(s.spec.withRope(Rope.of(Rope.Layout.HALF, 4, 10_000, 30)),
                            s.tensors().withOffsets(s.starts, s.i32(0, 4, 6))), "-1"),
            new Case("no engine", MISSING, s -> Attention.create(null, s.spec)),
            new Case("no spec", MISSING, s -> Attention.create(s.engine, null), "spec"),
            new Case("a closed attention", CLOSED, s -> {
                s.attention.close();
                s.attention.close();
                s.attention.run(s.tensors());
            }, "attention", "closed"),
            new Case("a closed engine", CLOSED, s -> {
                s.engine.close();
                s.attention.run(s.tensors());
            }, "closed"),
            new Case("creation on a closed engine", CLOSED, s -> {
                s.engine.close();
                Attention.create(s.engine, s.spec).close();
            }, "closed"));

    private static final List<Case> CACHES = List.of(
            new Case("a cache of no sequences", BAD, s -> KvCache.create(s.engine, s.spec, 0, 9), "sequences", "0"),
            new Case("a cache of no capacity", BAD, s -> KvCache.create(s.engine, s.spec, 1, -4), "capacity", "-4"),
            new Case("a cache of bytes", BAD, s -> KvCache.create(s.engine, s.spec, 1, 9, DType.I8), "I8"),
            new Case("a cache of too many tokens", BAD,
                    s -> KvCache.create(s.engine, s.spec, 1 << 16, 1 << 16), "65536"),
            new Case("a cache past RoPE's positions", BAD,
                    s -> KvCache.create(s.engine, s.spec.withRope(Rope.of(Rope.Layout.HALF, 4, 10_000, 7)), 1, 8), "7",
                    "8"),
            new Case("a cache on a closed engine", CLOSED, s -> {
                s.engine.close();
                KvCache.create(s.engine, s.spec, 1, 9).append(0, s.k, s.v);
            }, "closed"),
            new Case("a cache of no spec", MISSING, s -> KvCache.create(s.engine, null, 1, 9)),
            new Case("a cache of no engine", MISSING, s -> KvCache.create(null, s.spec, 1, 9)),
            new Case("no keys", MISSING, s -> s.cache.append(0, null, s.v)),
            new Case("no values", MISSING, s -> s.cache.append(0, s.k, null), "v"),
            new Case("keys of rank 4", BAD, s -> s.cache.append(0, s.f32(1, 6, 2, 4), s.v), "[1, 6, 2, 4]", "k"),
            new Case("keys of other heads", BAD, s -> s.cache.append(0, s.f32(6, 3, 4), s.v), "2", "3", "k"),
            new Case("keys of another head_dim", BAD, s -> s.cache.append(0, s.f32(6, 2, 6), s.v), "4", "6", "k"),
            new Case("values of another value_dim", BAD, s -> s.cache.append(0, s.k, s.f32(6, 2, 4)), "5", "4", "v"),
            new Case("fewer values than keys", BAD, s -> s.cache.append(0, s.k, s.f32(3, 2, 5)), "6", "3", "v"),
            new Case("values of another type", BAD,
                    s -> s.cache.append(0, s.k, s.of(DType.BF16, 6, 2, 5)), "F32", "BF16"),
            new Case("keys of integers", BAD, s -> s.cache.append(0, s.of(DType.I32, 6, 2, 4), s.v), "I32", "k"),
            new Case("more than the capacity", BAD,
                    s -> s.cache.append(1, s.f32(11, 2, 4), s.f32(11, 2, 5)), "10", "11"),
            new Case("keys on a closed arena", CLOSED, s -> s.cache.append(0, s.closed(6, 2, 4), s.v), "k"),
            new Case("values of another thread", WrongThreadException.class,
                    s -> s.cache.append(0, s.k, s.foreign(6, 2, 5)), "v"),
            new Case("append to no sequence", IndexOutOfBoundsException.class, s -> s.cache.append(2, s.k, s.v), "2"),
            new Case("offsets of other sequences", BAD, s -> s.cache.append(s.k, s.v, s.i32(0, 1, 2, 6)), "3", "4"),
            new Case("append offsets that decrease", BAD, s -> s.cache.append(s.k, s.v, s.i32(0, 4, 2)), "-2"),
            new Case("append offsets that begin late", BAD, s -> s.cache.append(s.k, s.v, s.i32(1, 4, 6)), "1"),
            new Case("append offsets past the keys", BAD, s -> s.cache.append(s.k, s.v, s.i32(0, 4, 9)), "9", "6"),
            new Case("no append offsets", MISSING, s -> s.cache.append(s.k, s.v, null)),
            new Case("truncation to more", BAD, s -> s.cache.truncate(0, 1), "0", "1"),
            new Case("truncation to less than nothing", BAD, s -> s.cache.truncate(0, -1), "-1"),
            new Case("truncation of no sequence", IndexOutOfBoundsException.class, s -> s.cache.truncate(-1, 0), "-1"),
            new Case("a fork of no sequence", IndexOutOfBoundsException.class, s -> s.cache.fork(2, 0), "2"),
            new Case("a fork to no sequence", IndexOutOfBoundsException.class, s -> s.cache.fork(0, 5), "5"),
            new Case("the length of no sequence", IndexOutOfBoundsException.class, s -> s.cache.length(2), "2"),
            new Case("more sequences than the cache", BAD, s -> s.attention.run(AttentionTensors.of(s.q, s.cache, s.out)
                    .withOffsets(s.i32(0, 1, 1, 4))), "3"),
            new Case("a cache of other heads", BAD, s -> s.runCached(s.spec.withKvHeads(1)), "2", "1"),
            new Case("a cache of another value_dim", BAD, s -> s.runCached(s.spec.withValueDim(9)), "5", "9"),
            new Case("a cache of another head_dim", BAD,
                    s -> s.runCached(AttentionSpec.of(2, 8).withValueDim(5)), "4", "8"),
            new Case("a cache with RoPE for a spec without", BAD,
                    s -> s.runCached(s.spec.withRope(Rope.of(Rope.Layout.HALF, 4, 10_000, 30))), "RoPE"),
            new Case("a mask of too few keys for a cache", BAD, s -> {
                s.cache.append(1, s.k, s.v);
                s.attention.run(s.cached().withMask(s.of(DType.U8, 1, 5)));
            }, "6", "5", "mask"),
            new Case("append to a closed cache", CLOSED, s -> {
                s.cache.close();
                s.cache.append(0, s.k, s.v);
            }, "cache", "closed"),
            new Case("the length of a closed cache", CLOSED, s -> {
                s.cache.close();
                s.cache.length(0);
            }, "cache", "closed"),
            new Case("attention to a closed cache", CLOSED, s -> {
                s.cache.close();
                s.attention.run(s.cached());
            }, "cache", "closed"));

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        List<DynamicTest> tests = new ArrayList<>();
        for (TestEngine backend : TestEngine.devices()) {
            for (List<Case> cases : List.of(TENSORS, OPTIONS, CACHES)) {
                for (Case each : cases) {
                    tests.add(dynamicTest(backend + ": " + each.name(), () -> check(backend, each)));
                }
            }
        }
        return tests.stream();
    }

    private static void check(TestEngine backend, Case each) {
        try (Setup setup = new Setup(backend)) {
            Exception thrown = assertThrows(each.thrown(), () -> each.call().on(setup));
            for (String name : each.names()) {
                assertTrue(thrown.getMessage().contains(name), thrown.getMessage() + " does not name " + name);
            }
            for (byte written : setup.out.segment().toArray(ValueLayout.JAVA_BYTE)) {
                assertEquals(7, written, "out was written");
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> shouldServeAfterRefusal() {
        return TestEngine.devices().stream().map(backend -> dynamicTest(backend.name(), () -> {
            try (Setup s = new Setup(backend)) {
                assertThrows(BAD, () -> s.run(s.q, s.k, s.v, s.f32(2, 2, 5)));
                assertThrows(BAD, () -> s.cache.append(0, s.k, s.f32(3, 2, 5)));
                assertEquals(0, s.cache.length(0));
                s.cache.append(0, s.k, s.v);
                s.attention.run(s.cached());
                s.attention.run(s.tensors());
                assertEquals(0, s.out.getFloat(3, 1, 4));
            }
        }));
    }
}
