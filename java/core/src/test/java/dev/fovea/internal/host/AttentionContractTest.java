package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.TestEngine;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Misuse of attention ends in the documented exception before anything is written, on every backend. */
class AttentionContractTest {
    private static final Class<IllegalArgumentException> BAD = IllegalArgumentException.class;
    private static final Class<IllegalStateException> CLOSED = IllegalStateException.class;
    private static final Class<NullPointerException> MISSING = NullPointerException.class;
    private static final Rope ROPE = Rope.of(Rope.Layout.HALF, 4, 10_000, 6);

    private interface Call {
        void on(AttentionArguments s);
    }

    /** @param names what the message must contain */
    private record Case(String name, Class<? extends Exception> thrown, Call call, String... names) {
        /** An attention after a change to its arguments. */
        static Case of(String name, Call change, String... names) {
            return of(name, BAD, change, names);
        }

        static Case of(String name, Class<? extends Exception> thrown, Call change, String... names) {
            return new Case(name, thrown, s -> {
                change.on(s);
                s.attend();
            }, names);
        }
    }

    private static final List<Case> TOKENS = List.of(
            Case.of("negative sequences", s -> s.sequences = -1, "sequences", "-1"),
            Case.of("more sequences than offsets", s -> s.sequences = 3, "4", "3", "q_offsets"),
            Case.of("no spec", MISSING, s -> s.spec = null, "spec"),
            new Case("no tensors", MISSING,
                    s -> s.kernels.attention(2, s.spec, null, s.qOffsets, s.kvOffsets, null, s.scratch), "operands"),
            new Case("no k", MISSING, s -> s.attend(null, s.v, s.kvOffsets), "k"),
            new Case("no v", MISSING, s -> s.attend(s.k, null, s.kvOffsets), "v"),
            new Case("no kv offsets", MISSING, s -> s.attend(s.k, s.v, null), "kv_offsets"),
            Case.of("offsets that begin late", s -> s.qOffsets = s.i32(1, 1, 4), "0", "1", "q_offsets"),
            Case.of("offsets that decrease", s -> s.kvOffsets = s.i32(0, 7, 6), "7", "6", "kv_offsets"),
            Case.of("offsets of floats", s -> s.kvOffsets = s.f32(3), "I32", "F32", "kv_offsets"),
            Case.of("more queries than q has", s -> s.qOffsets = s.i32(0, 1, 5), "5", "4", "q"),
            Case.of("more keys than k has", s -> s.kvOffsets = s.i32(0, 2, 7), "7", "6", "k"),
            Case.of("fewer values than keys", s -> s.v = s.f32(5, 1, 3), "6", "5", "v"),
            Case.of("an out too short", s -> s.out = s.f32(3, 2, 3), "4", "3", "out"),
            Case.of("q of rank 2", s -> s.q = s.f32(4, 8), "3 or 4", "[4, 8]", "q"),
            Case.of("k of rank 5", s -> s.k = s.f32(1, 1, 6, 1, 4), "3 or 4", "[1, 1, 6, 1, 4]", "k"),
            Case.of("other heads in q", s -> s.q = s.f32(4, 3, 4), "heads 2", "3", "q"),
            Case.of("other heads in k", s -> s.k = s.f32(6, 2, 4), "kv_heads 1", "2", "k"),
            Case.of("other heads in v", s -> s.v = s.f32(6, 2, 3), "kv_heads 1", "2", "v"),
            Case.of("other heads in out", s -> s.out = s.f32(4, 1, 3), "heads 2", "1", "out"),
            Case.of("another head_dim in q", s -> s.q = s.f32(4, 2, 5), "head_dim 4", "5", "q"),
            Case.of("another head_dim in k", s -> s.k = s.f32(6, 1, 3), "head_dim 4", "3", "k"),
            Case.of("another value_dim in v", s -> s.v = s.f32(6, 1, 4), "value_dim 3", "4", "v"),
            Case.of("another value_dim in out", s -> s.out = s.f32(4, 2, 4), "value_dim 3", "4", "out"),
            Case.of("integers for q", s -> s.q = s.of(DType.I32, 4, 2, 4), "F32, F16 or BF16", "I32", "q"),
            Case.of("bytes for k", s -> s.k = s.of(DType.I8, 6, 1, 4), "F32, F16 or BF16", "I8", "k"),
            Case.of("values of another type than keys", s -> s.v = s.of(DType.F16, 6, 1, 3), "F32", "F16", "v"),
            Case.of("an out of half type", s -> s.out = s.of(DType.BF16, 4, 2, 3), "F32", "BF16", "out"),
            Case.of("q at an odd address", s -> s.q = s.shifted(DType.F16, 1, 4, 2, 4), "2 bytes", "q"),
            Case.of("k between two floats", s -> s.k = s.shifted(DType.F32, 2, 6, 1, 4), "4 bytes", "k"),
            Case.of("q by columns", s -> s.q = s.strided(new long[] {4, 2, 4}, 8, 1, 2), "1", "2", "q"),
            Case.of("tokens that overlap", s -> s.k = s.strided(new long[] {6, 1, 4}, 3, 4, 1), "4", "3", "k"),
            Case.of("heads that overlap", s -> s.q = s.strided(new long[] {4, 2, 4}, 8, 3, 1), "4", "3", "q"),
            Case.of("an out whose tokens lie in its heads", s -> s.out = s.strided(new long[] {4, 2, 3}, 4, 3, 1),
                    "6", "4", "out"),
            Case.of("a padded q with too few sequences", s -> s.q = s.f32(1, 3, 2, 4), "2", "1", "q"),
            Case.of("a padded q with too few tokens", s -> s.q = s.f32(2, 2, 2, 4), "3", "2", "q"),
            Case.of("a padded k with too few tokens", s -> s.k = s.f32(2, 3, 1, 4), "4", "3", "k"),
            Case.of("a padded v with too few sequences", s -> s.v = s.f32(1, 4, 1, 3), "2", "1", "v"),
            Case.of("a padded out with too few tokens", s -> s.out = s.f32(2, 2, 2, 3), "3", "2", "out"),
            Case.of("one sequence for all", s -> s.k = s.strided(new long[] {2, 4, 1, 4}, 0, 4, 4, 1), "1", "0", "k"),
            Case.of("sequences that overlap in out", s -> s.out = s.strided(new long[] {2, 3, 2, 3}, 6, 6, 3, 1),
                    "18", "6", "out"));

    private static final List<Case> OPTIONS = List.of(
            Case.of("a mask of floats", s -> s.mask = s.f32(3, 4), "U8", "F32", "mask"),
            Case.of("a bias of bytes", s -> s.bias = s.of(DType.U8, 3, 4), "F32", "U8", "bias"),
            Case.of("a mask of rank 3", s -> s.mask = s.of(DType.U8, 2, 3, 4), "2 or 4", "[2, 3, 4]", "mask"),
            Case.of("a mask for too few queries", s -> s.mask = s.of(DType.U8, 2, 4), "3", "2", "mask"),
            Case.of("a mask for too few keys", s -> s.mask = s.of(DType.U8, 3, 3), "4", "3", "mask"),
            Case.of("one key for all", s -> s.bias = s.f32(3, 1), "4", "1", "bias"),
            Case.of("a mask for too few sequences", s -> {
                s.sequences = 2;
                s.mask = s.of(DType.U8, 0, 1, 3, 4);
            }, "2", "0", "mask"),
            Case.of("a bias for too few heads", s -> {
                s.q = s.f32(4, 4, 4);
                s.out = s.f32(4, 4, 3);
                s.spec = AttentionSpec.of(4, 4).withKvHeads(1).withValueDim(3);
                s.bias = s.f32(1, 2, 3, 4);
            }, "heads 4", "2", "bias"),
            Case.of("a mask for more heads", s -> s.mask = s.of(DType.U8, 2, 3, 3, 4), "heads 2", "3", "mask"),
            Case.of("a mask by columns", s -> s.mask = Tensor.of(s.of(DType.U8, 4, 3).segment(), DType.U8,
                    Shape.of(3, 4), 1, 3), "1", "3", "mask"),
            Case.of("a bias between two floats", s -> s.bias = s.shifted(DType.F32, 1, 3, 4), "4 bytes", "bias"),
            Case.of("lse of rank 1", s -> s.lse = s.f32(8), "2 or 3", "[8]", "lse"),
            Case.of("lse of other heads", s -> s.lse = s.f32(1, 4), "heads 2", "1", "lse"),
            Case.of("lse for too few queries", s -> s.lse = s.f32(2, 3), "4", "3", "lse"),
            Case.of("padded lse for too few sequences", s -> s.lse = s.f32(1, 2, 3), "2", "1", "lse"),
            Case.of("padded lse for too few queries", s -> s.lse = s.f32(2, 2, 2), "3", "2", "lse"),
            Case.of("lse in one place", s -> s.lse = s.strided(new long[] {2, 4}, 0, 1), "1", "0", "lse"),
            Case.of("lse of half type", s -> s.lse = s.of(DType.F16, 2, 4), "F32", "F16", "lse"),
            Case.of("weights of rank 2", s -> s.weights = s.f32(8, 4), "3 or 4", "[8, 4]", "weights"),
            Case.of("weights for too few keys", s -> s.weights = s.f32(2, 4, 3), "4", "3", "weights"),
            Case.of("weights for too few queries", s -> s.weights = s.f32(2, 3, 4), "4", "3", "weights"),
            Case.of("weights of other heads", s -> s.weights = s.f32(1, 4, 4), "heads 2", "1", "weights"),
            Case.of("padded weights for too few sequences", s -> s.weights = s.f32(1, 2, 3, 4), "2", "1", "weights"),
            Case.of("weights by columns", s -> s.weights = s.f32(2, 4, 4).transpose(1, 2), "1", "4", "weights"),
            Case.of("weights whose rows overlap", s -> s.weights = s.strided(new long[] {2, 4, 4}, 16, 3, 1), "4", "3",
                    "weights"),
            Case.of("no scratch", MISSING, s -> s.scratch = null, "scratch"),
            Case.of("scratch of floats", s -> s.scratch = s.f32(64), "I8", "F32", "scratch"),
            Case.of("scratch at an odd address", s -> {
                MemorySegment memory = s.arena.allocate(s.scratch.size(0) + 4, 64);
                s.scratch = Tensor.of(memory.asSlice(4), DType.I8, s.scratch.shape());
            }, "64", "scratch"),
            Case.of("a key behind the positions", s -> {
                s.spec = s.spec.withRope(ROPE);
                s.q = s.f32(7, 2, 4);
                s.out = s.f32(7, 2, 3);
                s.k = s.f32(10, 1, 4);
                s.v = s.f32(10, 1, 3);
                s.kvOffsets = s.i32(0, 3, 10);
            }, "0 to 5", "6", "sequence 1"),
            Case.of("a query before the positions", s -> {
                s.spec = s.spec.withRope(ROPE);
                s.kvOffsets = s.i32(0, 0, 2);
            }, "0 to 5", "-1", "query"),
            Case.of("a query behind the positions", s -> {
                s.spec = s.spec.withRope(ROPE).withMask(Mask.none().topLeft());
                s.q = s.f32(8, 2, 4);
                s.out = s.f32(8, 2, 3);
                s.qOffsets = s.i32(0, 1, 8);
            }, "0 to 5", "6", "query"));

    private static final List<Case> PAGES = List.of(
            paged("pages of another size", s -> s.k = s.f32(3, 1, 64, 4), "128", "64", "key_pages"),
            paged("pages of another head_dim", s -> s.k = s.f32(3, 1, 128, 5), "4", "5", "key_pages"),
            paged("pages of another value_dim", s -> s.v = s.f32(3, 1, 128, 4), "3", "4", "value_pages"),
            paged("pages of other heads", s -> s.v = s.f32(3, 2, 128, 3), "1", "2", "value_pages"),
            paged("pages of rank 3", s -> s.k = s.f32(3, 128, 4), "4", "[3, 128, 4]", "key_pages"),
            paged("more pages of keys than of values", s -> s.v = s.f32(2, 1, 128, 3), "3", "2", "value_pages"),
            paged("no pages at all", s -> {
                s.k = s.f32(0, 1, 128, 4);
                s.v = s.f32(0, 1, 128, 3);
            }, "1", "0", "key_pages"),
            paged("pages with gaps", s -> s.k = s.strided(new long[] {2, 1, 128, 4}, 520, 512, 4, 1), "dense",
                    "key_pages"),
            paged("a page behind the pages", s -> s.pages = s.table(1, 1, 3), "page 3", "3 pages", "sequence 1"),
            paged("a negative page", s -> s.pages = s.table(1, -1, 0), "page -1", "3 pages", "sequence 0"),
            paged("a table of floats", s -> s.pages = s.f32(2, 1), "I32", "F32", "pages"),
            paged("a table of rank 1", s -> s.pages = s.i32(0, 1), "2", "[2]", "pages"),
            paged("a table for too few sequences", s -> s.pages = s.table(2, 0, 1), "2", "1", "pages"),
            paged("a table with too few columns", s -> s.kvOffsets = s.i32(0, 2, 131), "2", "1", "pages"),
            paged("a table whose rows are one", s -> {
                s.sequences = 1;
                s.pages = Tensor.of(s.i32(0, 1).segment(), DType.I32, Shape.of(1, 2), 0, 1);
            }, "1", "0", "pages"),
            paged("out over the pages", s -> s.out = Tensor.of(s.k.segment(), DType.F32, Shape.of(4, 2, 3)),
                    "out", "k"));

    private static Case paged(String name, Call change, String... names) {
        return Case.of(name, s -> {
            s.paged();
            change.on(s);
        }, names);
    }

    private static final List<Case> MEMORY = List.of(
            Case.of("q on a closed arena", CLOSED, s -> s.q = s.closed(4, 2, 4), "q"),
            Case.of("k on a closed arena", CLOSED, s -> s.k = s.closed(6, 1, 4), "k"),
            Case.of("out on a closed arena", CLOSED, s -> s.out = s.closed(4, 2, 3), "out"),
            Case.of("a bias on a closed arena", CLOSED, s -> s.bias = s.closed(3, 4), "bias"),
            Case.of("lse on a closed arena", CLOSED, s -> s.lse = s.closed(2, 4), "lse"),
            Case.of("a closed engine", CLOSED, s -> s.engine.close()),
            Case.of("v of another thread", WrongThreadException.class, s -> s.v = s.confined(6, 1, 3), "v"),
            Case.of("weights of another thread", WrongThreadException.class, s -> s.weights = s.confined(2, 4, 4),
                    "weights"),
            Case.of("an out that is read-only", s -> s.out = s.readOnly(4, 2, 3), "out", "read-only"),
            Case.of("lse that is read-only", s -> s.lse = s.readOnly(2, 4), "lse", "read-only"),
            Case.of("weights that are read-only", s -> s.weights = s.readOnly(2, 4, 4), "weights", "read-only"),
            Case.of("out over q", s -> s.out = Tensor.of(s.q.segment(), DType.F32, Shape.of(4, 2, 3)), "out", "q"),
            Case.of("out over padded k", s -> {
                s.k = s.f32(2, 4, 1, 4);
                s.out = Tensor.of(s.k.segment().asSlice(64), DType.F32, Shape.of(4, 2, 1));
                s.spec = s.spec.withValueDim(1);
                s.v = s.f32(6, 1, 1);
            }, "out", "k"),
            Case.of("out over v", s -> s.v = Tensor.of(s.out.segment(), DType.F32, Shape.of(6, 1, 3)), "out", "v"),
            Case.of("out over the offsets", s -> s.qOffsets = over(s.out, 0, 1, 4), "out", "q_offsets"),
            Case.of("out over the mask", s -> s.mask = Tensor.of(s.out.segment(), DType.U8, Shape.of(3, 4)),
                    "out", "mask"),
            Case.of("out over the bias", s -> s.bias = Tensor.of(s.out.segment(), DType.F32, Shape.of(3, 4)),
                    "out", "bias"),
            Case.of("lse over q", s -> s.lse = Tensor.of(s.q.segment(), DType.F32, Shape.of(2, 4)), "lse", "q"),
            Case.of("lse over the slopes", s -> {
                s.spec = s.spec.withAlibi(Alibi.forHeads(2));
                s.lse = Tensor.of(s.spec.alibi().slopes().segment(), DType.F32, Shape.of(2, 1));
                s.qOffsets = s.i32(0, 0, 1);
            }, "lse", "alibi"),
            Case.of("lse over the table of RoPE", s -> {
                s.spec = s.spec.withRope(ROPE);
                s.lse = Tensor.of(ROPE.table().segment(), DType.F32, Shape.of(2, 4));
            }, "lse", "rope"),
            Case.of("lse over out", s -> s.lse = Tensor.of(s.out.segment(), DType.F32, Shape.of(2, 4)), "lse", "out"),
            Case.of("weights over k", s -> s.weights = overlapping(s, 3), "weights", "k"),
            Case.of("weights over lse", s -> {
                s.weights = s.f32(2, 4, 4);
                s.lse = Tensor.of(s.weights.segment(), DType.F32, Shape.of(2, 4));
            }, "weights", "lse"),
            Case.of("weights over out", s -> {
                s.weights = s.f32(2, 4, 4);
                s.out = Tensor.of(s.weights.segment(), DType.F32, Shape.of(4, 2, 3));
            }, "weights", "out"));

    private static Tensor over(Tensor memory, int... values) {
        MemorySegment.copy(values, 0, memory.segment(), ValueLayout.JAVA_INT, 0, values.length);
        return Tensor.of(memory.segment(), DType.I32, Shape.of(values.length));
    }

    /** Weights that begin so many elements before the keys end. */
    private static Tensor overlapping(AttentionArguments s, int elements) {
        MemorySegment memory = s.arena.allocate(4096, 64);
        s.k = Tensor.of(memory, DType.F32, Shape.of(6, 1, 4));
        return Tensor.of(memory.asSlice((24 - elements) * 4L), DType.F32, Shape.of(2, 4, 4));
    }

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        List<DynamicTest> tests = new ArrayList<>();
        for (TestEngine backend : TestEngine.perBackend()) {
            Stream.of(TOKENS, OPTIONS, PAGES, MEMORY).flatMap(List::stream).forEach(each ->
                    tests.add(dynamicTest(backend + ": " + each.name(), () -> check(backend, each))));
        }
        return tests.stream();
    }

    private static void check(TestEngine backend, Case each) {
        try (AttentionArguments setup = new AttentionArguments(backend)) {
            Tensor out = setup.out;
            out.segment().fill((byte) 0x55);
            Exception thrown = assertThrows(each.thrown(), () -> each.call().on(setup));
            for (String name : each.names()) {
                assertTrue(thrown.getMessage().contains(name), () -> "no " + name + " in: " + thrown.getMessage());
            }
            if (setup.out == out && setup.mask == null && setup.bias == null && setup.lse == null
                    && setup.qOffsets.segment().address() != out.segment().address()) {
                byte[] untouched = new byte[(int) out.segment().byteSize()];
                Arrays.fill(untouched, (byte) 0x55);
                assertArrayEquals(untouched, out.segment().toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    /** What looks wrong and is not. */
    @TestFactory
    Stream<DynamicTest> shouldAccept() {
        List<Case> cases = List.of(
                Case.of("the arguments that the cases change", s -> { }),
                paged("pages", s -> { }),
                paged("a bad page that no sequence needs", s -> s.pages = s.table(2, 1, -1, 0, 99)),
                Case.of("no sequences", s -> s.sequences = 0),
                Case.of("any stride of a single head", s -> s.k = s.strided(new long[] {6, 1, 4}, 4, 0, 1)),
                Case.of("columns of one padded product", s -> {
                    Tensor fused = s.f32(2, 5, 18);
                    s.q = columns(fused, 0, 2, 4);
                    s.k = columns(fused, 8, 1, 4);
                    s.v = columns(fused, 12, 1, 3);
                    s.out = columns(s.f32(2, 5, 18), 0, 2, 3);
                }),
                Case.of("out in the columns that the product leaves", s -> {
                    Tensor fused = s.f32(2, 5, 21);
                    s.q = columns(fused, 0, 2, 4);
                    s.k = columns(fused, 8, 1, 4);
                    s.v = columns(fused, 12, 1, 3);
                    s.out = columns(fused, 15, 2, 3);
                }),
                Case.of("heads outside tokens", s -> {
                    s.q = s.f32(2, 4, 4).transpose(0, 1);
                    s.out = s.f32(2, 4, 3).transpose(0, 1);
                }),
                Case.of("a bias of one row for all", s -> s.bias = s.strided(new long[] {2, 2, 3, 4}, 0, 0, 0, 1)));
        return TestEngine.perBackend().stream()
                .flatMap(backend -> cases.stream().map(each -> dynamicTest(backend + ": " + each.name(), () -> {
                    try (AttentionArguments setup = new AttentionArguments(backend)) {
                        each.call().on(setup);
                    }
                })));
    }

    /** Heads of a padded product [batch, tokens, columns]. */
    private static Tensor columns(Tensor fused, int first, int heads, int dim) {
        return Tensor.of(fused.segment().asSlice(first * 4L), DType.F32,
                Shape.of(fused.size(0), fused.size(1), heads, dim), fused.stride(0), fused.stride(1), dim, 1);
    }
}
