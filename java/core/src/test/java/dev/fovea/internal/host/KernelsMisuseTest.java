package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.TestEngine;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Misuse of the kernels ends in the documented exception, on every backend, and names what is wrong. */
class KernelsMisuseTest {
    private static final Class<IllegalArgumentException> BAD = IllegalArgumentException.class;
    private static final Class<IllegalStateException> CLOSED = IllegalStateException.class;
    private static final Class<NullPointerException> MISSING = NullPointerException.class;

    /** Arguments that fit: each case replaces one. */
    private static final class Setup implements AutoCloseable {
        final Engine engine;
        final Arena arena = Arena.ofShared();
        final Kernels kernels;
        final Tensor x;
        final Tensor gamma;
        final Tensor words;
        final Tensor out;
        final Tensor offsets;
        final Tensor ids;
        final PackedLinear packed;

        Setup(TestEngine backend) {
            engine = backend.create();
            kernels = TestKernels.of(engine, arena);
            x = f32(4, 8);
            gamma = f32(8);
            words = f32(10, 8);
            out = f32(4, 8);
            offsets = i32(0, 1, 4);
            ids = i32(1, 2, 3, 9);
            packed = TestKernels.pack(kernels, arena, f32(8, 8), DType.F32);
        }

        Tensor f32(long... sizes) {
            return Tensor.allocate(arena, DType.F32, Shape.of(sizes));
        }

        Tensor i32(int... values) {
            return Tensor.copyOf(arena, values);
        }

        Tensor closed(long... sizes) {
            try (Arena brief = Arena.ofShared()) {
                return Tensor.allocate(brief, DType.F32, Shape.of(sizes));
            }
        }

        void embed(int sequences, Tensor ids, Tensor offsets, Tensor words, Tensor positions, int first, Tensor out) {
            embed(sequences, ids, offsets, null, words, 1, positions, first, out);
        }

        void embed(int sequences, Tensor ids, Tensor offsets, Tensor starts, Tensor words, float scale,
                Tensor positions, int first, Tensor out) {
            kernels.embedding(sequences, ids, offsets, starts, TestKernels.weight(words), scale, positions, first, gamma,
                    out);
        }

        void linear(int rows, Tensor x, Tensor bias, Tensor residual, Tensor out) {
            kernels.linear(rows, x, packed, bias, Activation.NONE, residual, out);
        }

        @Override
        public void close() {
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

    private static final List<Case> CASES = List.of(
            new Case("no ids", MISSING, s -> s.embed(2, null, s.offsets, s.words, null, 0, s.out), "ids"),
            new Case("no words", MISSING, s -> s.embed(2, s.ids, s.offsets, null, null, 0, s.out), "words"),
            new Case("an id outside the vocabulary", BAD,
                    s -> s.embed(2, s.i32(1, 2, 10, 3), s.offsets, s.words, null, 0, s.out), "10"),
            new Case("a negative id", BAD, s -> s.embed(2, s.i32(1, -5, 3, 3), s.offsets, s.words, null, 0, s.out), "-5"),
            new Case("ids of floats", BAD, s -> s.embed(2, s.f32(4), s.offsets, s.words, null, 0, s.out), "I32", "F32"),
            new Case("too few ids", BAD, s -> s.embed(2, s.i32(1), s.offsets, s.words, null, 0, s.out), "4", "1"),
            new Case("offsets that decrease", BAD,
                    s -> s.embed(3, s.ids, s.i32(0, 3, 2, 4), s.words, null, 0, s.out), "3", "2"),
            new Case("offsets that begin late", BAD, s -> s.embed(2, s.ids, s.i32(1, 2, 4), s.words, null, 0, s.out), "1"),
            new Case("too few offsets", BAD, s -> s.embed(3, s.ids, s.offsets, s.words, null, 0, s.out), "4", "3"),
            new Case("negative sequences", BAD, s -> s.embed(-1, s.ids, s.offsets, s.words, null, 0, s.out), "-1"),
            new Case("a sequence past the positions", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.words, s.f32(2, 8), 0, s.out), "3", "2"),
            new Case("a first position past the positions", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.words, s.f32(5, 8), 4, s.out), "4"),
            new Case("positions of another width", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.words, s.f32(5, 7), 0, s.out), "8", "7"),
            new Case("an embedding out too short", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.words, null, 0, s.f32(3, 8)), "4", "3"),
            new Case("an infinite scale", BAD, s -> s.embed(2, s.ids, s.offsets, null, s.words,
                    Float.POSITIVE_INFINITY, null, 0, s.out), "Infinity"),
            new Case("too few starts", BAD, s -> s.embed(2, s.ids, s.offsets, s.i32(1), s.words, 1, null, 0, s.out),
                    "starts", "2", "1"),
            new Case("starts of floats", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.f32(2), s.words, 1, null, 0, s.out), "I32", "F32"),
            new Case("a negative start", BAD,
                    s -> s.embed(2, s.ids, s.offsets, s.i32(0, -4), s.words, 1, null, 0, s.out), "-4"),
            new Case("a start past the positions", BAD, s -> s.embed(2, s.ids, s.offsets,
                    s.i32(0, Integer.MAX_VALUE), s.words, 1, s.f32(5, 8), 1, s.out), "2147483648"),
            new Case("words on a closed arena", CLOSED,
                    s -> s.embed(2, s.ids, s.offsets, s.closed(10, 8), null, 0, s.out)),
            new Case("no x", MISSING, s -> s.kernels.layerNorm(4, null, s.gamma, s.gamma, 1e-5f, s.out), "x"),
            new Case("negative rows", BAD, s -> s.kernels.layerNorm(-3, s.x, s.gamma, s.gamma, 1e-5f, s.out), "-3"),
            new Case("more rows than x has", BAD,
                    s -> s.kernels.layerNorm(5, s.x, s.gamma, s.gamma, 1e-5f, s.f32(5, 8)), "5", "4"),
            new Case("gamma of another width", BAD,
                    s -> s.kernels.layerNorm(4, s.x, s.f32(7), s.gamma, 1e-5f, s.out), "8", "7"),
            new Case("epsilon NaN", BAD, s -> s.kernels.layerNorm(4, s.x, s.gamma, s.gamma, Float.NaN, s.out), "NaN"),
            new Case("negative epsilon", BAD, s -> s.kernels.layerNorm(4, s.x, s.gamma, s.gamma, -1, s.out), "-1"),
            new Case("x of rank 1", BAD, s -> s.kernels.layerNorm(1, s.gamma, s.gamma, s.gamma, 0, s.out), "2", "[8]"),
            new Case("x by columns", BAD,
                    s -> s.kernels.layerNorm(4, s.f32(8, 4).transpose(0, 1), s.gamma, s.gamma, 0, s.out), "stride"),
            new Case("a normalised out on a closed arena", CLOSED,
                    s -> s.kernels.layerNorm(4, s.x, s.gamma, s.gamma, 0, s.closed(4, 8))),
            new Case("no x to divide", MISSING, s -> s.kernels.rmsNorm(4, null, s.gamma, 1e-5f, s.out), "x"),
            new Case("an RMS gamma of another width", BAD,
                    s -> s.kernels.rmsNorm(4, s.x, s.f32(7), 1e-5f, s.out), "8", "7"),
            new Case("an RMS epsilon NaN", BAD, s -> s.kernels.rmsNorm(4, s.x, s.gamma, Float.NaN, s.out), "NaN"),
            new Case("no weight to pack", MISSING, s -> TestKernels.pack(s.kernels, s.arena, null, DType.F32), "weight"),
            new Case("a weight of integers", BAD, s -> TestKernels.pack(s.kernels, s.arena, s.ids, DType.F32), "F32", "I32"),
            new Case("an empty weight", BAD, s -> TestKernels.pack(s.kernels, s.arena, s.f32(0, 8), DType.F32), "0"),
            new Case("no type to pack", MISSING, s -> TestKernels.pack(s.kernels, s.arena, s.f32(8, 8), null), "kept"),
            new Case("a type that no weight is stored as", BAD,
                    s -> TestKernels.pack(s.kernels, s.arena, s.f32(8, 8), DType.U8), "BF16", "got U8"),
            new Case("a row too long for eight bits", BAD,
                    s -> TestKernels.pack(s.kernels, s.arena, s.f32(1, 32769), DType.I8), "32768", "32769"),
            new Case("half a block", BAD, s -> s.kernels.packedBytes(8, 48, Layout.Q4_0), "multiple of 32", "48"),
            new Case("a row too long for blocks", BAD, s -> s.kernels.packedBytes(1, 65792, Layout.Q4_K), "65536", "65792"),
            new Case("no packed weight", MISSING,
                    s -> s.kernels.linear(4, s.x, null, null, Activation.NONE, null, s.out), "weight"),
            new Case("weights of another table", BAD, s -> s.kernels.linear(4, s.x,
                    new PackedLinear(s.packed.data(), 8, 8, Layout.F32, "abacus"), null, Activation.NONE, null, s.out),
                    "abacus"),
            new Case("no activation", MISSING, s -> s.kernels.linear(4, s.x, s.packed, null, null, null, s.out),
                    "activation"),
            new Case("x of another width", BAD, s -> s.linear(4, s.f32(4, 9), null, null, s.out), "8", "9"),
            new Case("a bias of another width", BAD, s -> s.linear(4, s.x, s.f32(9), null, s.out), "8", "9"),
            new Case("a residual too short", BAD, s -> s.linear(4, s.x, null, s.f32(3, 8), s.out), "4", "3"),
            new Case("out over x", BAD, s -> s.linear(4, s.x, null, null, s.x), "x", "out"),
            new Case("x on a closed arena", CLOSED, s -> s.linear(4, s.closed(4, 8), null, null, s.out)),
            new Case("products of other lengths", BAD,
                    s -> s.kernels.matmul(s.f32(1, 2, 3), s.f32(1, 4, 2), false, 1, s.f32(1, 2, 2)), "3", "4"),
            new Case("batches of other sizes", BAD,
                    s -> s.kernels.matmul(s.f32(2, 2, 3), s.f32(1, 3, 2), false, 1, s.f32(2, 2, 2)), "2", "1"),
            new Case("an alpha of NaN", BAD,
                    s -> s.kernels.matmul(s.f32(1, 2, 3), s.f32(1, 3, 2), false, Float.NaN, s.f32(1, 2, 2)), "NaN"),
            new Case("no pooling mode", MISSING, s -> s.kernels.pool(2, s.x, s.offsets, null, true, s.out), "mode"),
            new Case("pooling past the tokens", BAD,
                    s -> s.kernels.pool(2, s.x, s.i32(0, 2, 5), Pooling.MEAN, true, s.out), "5", "4"),
            new Case("a pooled out too short", BAD,
                    s -> s.kernels.pool(2, s.x, s.offsets, Pooling.CLS, true, s.f32(1, 8)), "2", "1"),
            new Case("a closed engine", CLOSED, s -> {
                s.engine.close();
                s.linear(4, s.x, null, null, s.out);
            }),
            new Case("a closed session arena", CLOSED, s -> {
                s.arena.close();
                s.linear(4, s.x, null, null, s.out);
            }));

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        List<DynamicTest> tests = new ArrayList<>();
        for (TestEngine backend : TestEngine.perBackend()) {
            CASES.forEach(each -> tests.add(dynamicTest(backend + ": " + each.name(), () -> check(backend, each))));
        }
        return tests.stream();
    }

    private static void check(TestEngine backend, Case each) {
        try (Setup setup = new Setup(backend)) {
            Exception thrown = assertThrows(each.thrown(), () -> each.call().on(setup));
            for (String name : each.names()) {
                assertTrue(thrown.getMessage().contains(name), () -> "no " + name + " in: " + thrown.getMessage());
            }
        }
    }

    @Test
    void shouldNameAnIsaThatDoesNotRunHere() {
        for (Backend backend : Backend.values()) {
            if (Engine.unavailable(backend).isEmpty()) {
                var options = EngineOptions.defaults().withBackend(backend).withIsa("abacus");
                String message = assertThrows(BAD, () -> Engine.create(options)).getMessage();
                assertTrue(message.contains("abacus"), message);
            }
        }
    }

    @Test
    void shouldCloseTwice() {
        for (Backend backend : Backend.values()) {
            if (Engine.unavailable(backend).isEmpty()) {
                Engine engine = Engine.create(EngineOptions.defaults().withBackend(backend));
                engine.close();
                engine.close();
                assertEquals(backend, engine.backend());
            }
        }
    }
}
