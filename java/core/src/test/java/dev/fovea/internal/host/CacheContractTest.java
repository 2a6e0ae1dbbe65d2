package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Misuse of a cache's append ends in the documented exception before anything is written, on every backend. */
class CacheContractTest {
    private static final Class<IllegalArgumentException> BAD = IllegalArgumentException.class;
    private static final Class<IllegalStateException> CLOSED = IllegalStateException.class;
    private static final Class<NullPointerException> MISSING = NullPointerException.class;

    /** Arguments that fit: 1 and 3 tokens behind 127 and 128. */
    private static final class Setup implements AutoCloseable {
        final Engine engine;
        final Arena arena = Arena.ofShared();
        final Kernels kernels;
        int sequences = 2;
        Rope rope;
        Tensor k = f32(4, 2, 4);
        Tensor v = f32(4, 2, 3);
        Tensor offsets = i32(0, 1, 4);
        Tensor lengths = i32(127, 128);
        Tensor pages = table(2, 2, -1, -1, 0);
        Tensor keyPages = f32(3, 2, 128, 4);
        Tensor valuePages = f32(3, 2, 128, 3);

        Setup(TestEngine backend) {
            engine = backend.create();
            kernels = TestKernels.of(engine, arena);
            k.segment().fill((byte) 1);
            v.segment().fill((byte) 1);
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

        Tensor table(int columns, int... numbers) {
            return Tensor.of(i32(numbers).segment(), DType.I32, Shape.of(numbers.length / columns, columns));
        }

        Tensor closed(long... sizes) {
            try (Arena brief = Arena.ofShared()) {
                return Tensor.allocate(brief, DType.F32, Shape.of(sizes));
            }
        }

        void append() {
            kernels.cacheAppend(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
        }

        @Override
        public void close() {
            arena.close();
            engine.close();
        }
    }

    private interface Change {
        void on(Setup s);
    }

    /** @param names what the message must contain */
    private record Case(String name, Class<? extends Exception> thrown, Change change, String... names) {}

    private static final List<Case> CASES = List.of(
            new Case("negative sequences", BAD, s -> s.sequences = -2, "-2"),
            new Case("too few offsets", BAD, s -> s.offsets = s.i32(0, 1), "3", "2", "offsets"),
            new Case("offsets that decrease", BAD, s -> s.offsets = s.i32(0, 3, 2), "3", "2", "offsets"),
            new Case("no k", MISSING, s -> s.k = null, "k"),
            new Case("no v", MISSING, s -> s.v = null, "v"),
            new Case("no offsets", MISSING, s -> s.offsets = null, "offsets"),
            new Case("no lengths", MISSING, s -> s.lengths = null, "lengths"),
            new Case("no table", MISSING, s -> s.pages = null, "pages"),
            new Case("no key pages", MISSING, s -> s.keyPages = null, "key_pages"),
            new Case("no value pages", MISSING, s -> s.valuePages = null, "value_pages"),
            new Case("fewer tokens than the offsets say", BAD, s -> s.k = s.f32(3, 2, 4), "4", "3", "k"),
            new Case("a padded v with too few tokens", BAD, s -> s.v = s.f32(2, 2, 2, 3), "3", "2", "v"),
            new Case("other heads in k", BAD, s -> s.k = s.f32(4, 1, 4), "kv_heads 2", "1", "k"),
            new Case("another head_dim in k", BAD, s -> s.k = s.f32(4, 2, 5), "head_dim 4", "5", "k"),
            new Case("another value_dim in v", BAD, s -> s.v = s.f32(4, 2, 4), "value_dim 3", "4", "v"),
            new Case("integers for k", BAD, s -> s.k = s.of(DType.I32, 4, 2, 4), "F16", "I32", "k"),
            new Case("values of another type", BAD, s -> s.v = s.of(DType.BF16, 4, 2, 3), "F32", "BF16", "v"),
            new Case("pages of bytes", BAD, s -> s.keyPages = s.of(DType.I8, 3, 2, 128, 4), "F16", "I8", "key_pages"),
            new Case("value pages of another type", BAD, s -> s.valuePages = s.of(DType.F16, 3, 2, 128, 3),
                    "F32", "F16"),
            new Case("pages of another size", BAD, s -> s.keyPages = s.f32(3, 2, 127, 4), "128", "127", "key_pages"),
            new Case("value pages of other heads", BAD, s -> s.valuePages = s.f32(3, 1, 128, 3), "2", "1"),
            new Case("fewer value pages", BAD, s -> s.valuePages = s.f32(2, 2, 128, 3), "3", "2", "value_pages"),
            new Case("pages that are read-only", BAD, s -> s.keyPages = Tensor.of(
                    s.keyPages.segment().asReadOnly(), DType.F32, s.keyPages.shape()), "read-only", "key_pages"),
            new Case("pages with gaps", BAD, s -> s.valuePages = Tensor.of(s.arena.allocate(16384), DType.F32,
                    Shape.of(3, 2, 128, 3), 800, 384, 3, 1), "dense", "value_pages"),
            new Case("too few lengths", BAD, s -> s.lengths = s.i32(127), "2", "1", "lengths"),
            new Case("a negative length", BAD, s -> s.lengths = s.i32(127, -3), "0", "-3", "lengths"),
            new Case("a length past all keys", BAD, s -> s.lengths = s.i32(127, Integer.MAX_VALUE), "2147483650"),
            new Case("lengths of floats", BAD, s -> s.lengths = s.f32(2), "I32", "F32", "lengths"),
            new Case("too few columns", BAD, s -> s.lengths = s.i32(127, 254), "3", "2", "pages"),
            new Case("too few rows", BAD, s -> s.pages = s.table(2, 0, 1), "2", "1", "pages"),
            new Case("a page behind the pages", BAD, s -> s.pages = s.table(2, 3, -1, -1, 0), "page 3", "3 pages"),
            new Case("a negative page", BAD, s -> s.pages = s.table(2, 2, 0, 0, -7), "page -7", "sequence 1"),
            new Case("a position behind those of RoPE", BAD,
                    s -> s.rope = Rope.of(Rope.Layout.HALF, 4, 100, 130), "0 to 129", "130"),
            new Case("RoPE wider than the head", BAD, s -> s.rope = Rope.of(Rope.Layout.HALF, 6, 100, 200), "4", "6"),
            new Case("pages over k", BAD, s -> s.k = Tensor.of(s.keyPages.segment(), DType.F32, Shape.of(4, 2, 4)),
                    "key_pages", "k"),
            new Case("pages over v", BAD, s -> s.v = Tensor.of(s.keyPages.segment(), DType.F32, Shape.of(4, 2, 3)),
                    "key_pages", "v"),
            new Case("key pages over value pages", BAD, s -> s.valuePages = Tensor.of(s.keyPages.segment(), DType.F32,
                    Shape.of(3, 2, 128, 3)), "value_pages", "key_pages"),
            new Case("pages on a closed arena", CLOSED, s -> s.keyPages = s.closed(3, 2, 128, 4), "key_pages"),
            new Case("k on a closed arena", CLOSED, s -> s.k = s.closed(4, 2, 4), "k"));

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        return TestEngine.perBackend().stream()
                .flatMap(backend -> CASES.stream()
                        .map(each -> dynamicTest(backend + ": " + each.name(), () -> check(backend, each))));
    }

    private static void check(TestEngine backend, Case each) {
        try (Setup setup = new Setup(backend)) {
            Tensor keys = setup.keyPages;
            Tensor values = setup.valuePages;
            each.change().on(setup);
            Exception thrown = assertThrows(each.thrown(), setup::append);
            for (String name : each.names()) {
                assertTrue(thrown.getMessage().contains(name), () -> "no " + name + " in: " + thrown.getMessage());
            }
            assertZero(keys);
            assertZero(values);
        }
    }

    private static void assertZero(Tensor tensor) {
        for (float value : tensor.segment().toArray(ValueLayout.JAVA_FLOAT)) {
            assertEquals(0, value);
        }
    }

    @TestFactory
    Stream<DynamicTest> shouldWriteOnlyThePagesOfTheNewTokens() {
        return TestEngine.perBackend().stream()
                .map(backend -> dynamicTest(backend.toString(), () -> {
                    try (Setup setup = new Setup(backend)) {
                        setup.append();
                        long written = 0;
                        for (float value : setup.valuePages.segment().toArray(ValueLayout.JAVA_FLOAT)) {
                            written += value == 0 ? 0 : 1;
                        }
                        assertEquals(4 * 2 * 3, written);
                        assertTrue(setup.valuePages.getFloat(2, 1, 127, 2) != 0, "sequence 0 goes on in page 2");
                        assertTrue(setup.valuePages.getFloat(0, 1, 2, 2) != 0, "sequence 1 begins page 0");
                    }
                }));
    }
}
