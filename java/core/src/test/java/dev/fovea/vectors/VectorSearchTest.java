package dev.fovea.vectors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.RecordingEngine;
import dev.fovea.TestEngine;
import dev.fovea.model.EmbeddingQuantizer;
import dev.fovea.model.EmbeddingQuantizer.Precision;
import dev.fovea.ops.Similarity;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("slow")
class VectorSearchTest {
    private static final List<Similarity> MEASURES = List.of(Similarity.COSINE, Similarity.DOT);

    /** Below, at and above the tiles of rows and queries, the words of bits, and the blocks. */
    private static final int[][] SHAPES = {
        // rows, dimension, queries, k
        {0, 5, 2, 3}, {1, 1, 1, 1}, {1, 9, 3, 4}, {13, 31, 1, 13}, {14, 64, 2, 5}, {15, 63, 32, 3}, {33, 65, 33, 7},
        {257, 100, 5, 300}, {1100, 1030, 2, 9}, {4096, 8, 1, 2}, {4101, 24, 3, 10}, {20, 131_100, 1, 3}};

    private static Stream<TestEngine> engines() {
        return TestEngine.all().filter(engine -> !engine.name().equals("recording"));
    }

    /** Vectors of one type, and what they are as doubles. */
    private record Data(double[][] values, MemorySegment segment) {
        static Data random(Arena arena, Random random, VectorType type, int count, int dimension, int levels) {
            MemorySegment segment = arena.allocate(Math.max(1, count * type.bytes(dimension)), 64)
                    .asSlice(0, count * type.bytes(dimension));
            double[][] values = new double[count][dimension];
            for (int row = 0; row < count; row++) {
                long at = row * type.bytes(dimension);
                for (int i = 0; i < dimension; i++) {
                    switch (type) {
                        case FLOAT -> {
                            float value = levels == 0 ? (float) random.nextGaussian() : random.nextInt(levels) - levels / 2;
                            segment.set(JAVA_FLOAT, at + i * 4L, value);
                            values[row][i] = value;
                        }
                        case INT8 -> {
                            byte value = (byte) (levels == 0 ? random.nextInt(256) - 128 : random.nextInt(levels) - levels / 2);
                            segment.set(JAVA_BYTE, at + i, value);
                            values[row][i] = value;
                        }
                        case BINARY -> {
                            boolean one = random.nextBoolean();
                            byte before = segment.get(JAVA_BYTE, at + i / 8);
                            segment.set(JAVA_BYTE, at + i / 8, (byte) (before | (one ? 0x80 >> i % 8 : 0)));
                            values[row][i] = one ? 1 : -1;
                        }
                    }
                }
                if (type == VectorType.BINARY && dimension % 8 > 0) { // what fills the last byte does not count
                    long last = at + dimension / 8;
                    int filling = random.nextInt(256) & 0xff >> dimension % 8;
                    segment.set(JAVA_BYTE, last, (byte) (segment.get(JAVA_BYTE, last) | filling));
                }
            }
            return new Data(values, segment);
        }
    }

    private static double reference(Similarity similarity, double[] left, double[] right) {
        double dot = 0;
        double lefts = 0;
        double rights = 0;
        for (int i = 0; i < left.length; i++) {
            dot += left[i] * right[i];
            lefts += left[i] * left[i];
            rights += right[i] * right[i];
        }
        double lengths = Math.sqrt(lefts * rights);
        return similarity == Similarity.DOT ? dot : lengths == 0 ? 0 : dot / lengths;
    }

    /** What rounding may change: a share of what the products would be if all had one sign. */
    private static double tolerance(Similarity similarity, double[] left, double[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += Math.abs(left[i] * right[i]);
        }
        return similarity == Similarity.DOT ? 1e-5 * sum + 1e-9 : 1e-5;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRankAsTheReference(TestEngine maker) {
        Random random = new Random(7);
        try (Engine engine = maker.create()) {
            for (int[] shape : SHAPES) {
                for (VectorType type : VectorType.values()) {
                    for (Similarity similarity : MEASURES) {
                        try (Arena arena = Arena.ofConfined()) {
                            requireRanked(engine, arena, random, type, similarity, shape);
                        }
                    }
                }
            }
        }
    }

    private static void requireRanked(Engine engine, Arena arena, Random random, VectorType type, Similarity similarity,
            int[] shape) {
        int k = shape[3];
        Data rows = Data.random(arena, random, type, shape[0], shape[1], 0);
        Data queries = Data.random(arena, random, type, shape[2], shape[1], 0);
        var vectors = VectorRows.of(rows.segment(), type, shape[1]);
        MemorySegment found = arena.allocate(JAVA_INT, (long) shape[2] * k).fill((byte) -1);
        MemorySegment scores = arena.allocate(JAVA_FLOAT, (long) shape[2] * k).fill((byte) -1);
        String label = engine.isa() + " " + type + " " + similarity + " " + Arrays.toString(shape);
        int count;
        try (var search = VectorSearch.create(engine, vectors, similarity)) {
            count = search.nearest(shape[2], queries.segment(), k, found, scores);
        }
        assertEquals(Math.min(k, shape[0]), count, label);
        for (int q = 0; q < shape[2]; q++) {
            double[] query = queries.values()[q];
            boolean[] chosen = new boolean[shape[0]];
            float last = Float.POSITIVE_INFINITY;
            double slack = 0;
            for (int rank = 0; rank < count; rank++) {
                int row = found.getAtIndex(JAVA_INT, (long) q * k + rank);
                float score = scores.getAtIndex(JAVA_FLOAT, (long) q * k + rank);
                double[] vector = rows.values()[row];
                slack = Math.max(slack, tolerance(similarity, vector, query));
                assertEquals(reference(similarity, vector, query), score, tolerance(similarity, vector, query), label);
                assertTrue(score <= last && !chosen[row], label + ": row " + row + " at rank " + rank);
                last = score;
                chosen[row] = true;
            }
            for (int row = 0; row < shape[0]; row++) {
                assertTrue(chosen[row] || reference(similarity, rows.values()[row], query) <= last + 2 * slack,
                        label + ": row " + row + " was passed over");
            }
            for (int rank = count; rank < k; rank++) {
                assertEquals(-1, found.getAtIndex(JAVA_INT, (long) q * k + rank), label);
            }
        }
    }

    /** Small integers, whose products are exact and often equal. */
    @ParameterizedTest
    @MethodSource("engines")
    void shouldRankTheLowerRowFirstOfEqualScores(TestEngine maker) {
        Random random = new Random(8);
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            for (VectorType type : VectorType.values()) {
                for (int count : new int[] {3, 40, 1500, 4200}) {
                    Data rows = Data.random(arena, random, type, count, 12, 3);
                    Data queries = Data.random(arena, random, type, 3, 12, 3);
                    var expected = new ArrayList<Integer>();
                    var actual = new ArrayList<Integer>();
                    int k = Math.min(count, 50);
                    MemorySegment found = arena.allocate(JAVA_INT, 3L * k);
                    MemorySegment scores = arena.allocate(JAVA_FLOAT, 3L * k);
                    try (var search = VectorSearch.create(engine, VectorRows.of(rows.segment(), type, 12), Similarity.DOT)) {
                        search.nearest(3, queries.segment(), k, found, scores);
                    }
                    for (int q = 0; q < 3; q++) {
                        double[] query = queries.values()[q];
                        IntStream.range(0, count).boxed().sorted(Comparator.comparingDouble(
                                (Integer row) -> -reference(Similarity.DOT, rows.values()[row], query))).limit(k)
                                .forEach(expected::add);
                    }
                    for (int i = 0; i < 3 * k; i++) {
                        actual.add(found.getAtIndex(JAVA_INT, i));
                    }
                    assertEquals(expected, actual, type + " " + count);
                }
            }
        }
    }

    /** One vector in all rows has one score, so rows come in order: borders of tiles, blocks and threads do not show. */
    @ParameterizedTest
    @MethodSource("engines")
    void shouldScoreAVectorAlikeInEveryPlaceAndCompany(TestEngine maker) {
        Random random = new Random(9);
        int dimension = 67;
        int count = 4300;
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            for (VectorType type : VectorType.values()) {
                Data one = Data.random(arena, random, type, 1, dimension, 0);
                Data queries = Data.random(arena, random, type, 40, dimension, 0);
                long bytes = type.bytes(dimension);
                MemorySegment rows = arena.allocate(count * bytes, 64);
                for (int row = 0; row < count; row++) {
                    MemorySegment.copy(one.segment(), 0, rows, row * bytes, bytes);
                }
                for (Similarity similarity : MEASURES) {
                    try (var search = VectorSearch.create(engine, VectorRows.of(rows, type, dimension), similarity)) {
                        MemorySegment found = arena.allocate(JAVA_INT, 40L * count);
                        MemorySegment scores = arena.allocate(JAVA_FLOAT, 40L * count);
                        search.nearest(40, queries.segment(), count, found, scores);
                        MemorySegment alone = arena.allocate(JAVA_FLOAT, 1);
                        for (int q = 0; q < 40; q++) {
                            search.nearest(1, queries.segment().asSlice(q * bytes), 1, arena.allocate(JAVA_INT), alone);
                            for (int rank = 0; rank < count; rank++) {
                                long at = (long) q * count + rank;
                                assertEquals(rank, found.getAtIndex(JAVA_INT, at));
                                assertEquals(alone.get(JAVA_FLOAT, 0), scores.getAtIndex(JAVA_FLOAT, at));
                            }
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRankNaNLast(TestEngine maker) {
        float infinity = Float.POSITIVE_INFINITY;
        float[] rows = {Float.NaN, 1, 0, 1, -infinity, 0, -0f, 0, 5, -3, infinity, 1, Float.NaN, Float.NaN};
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined();
                var search = VectorSearch.create(engine, floats(arena, 2, rows), Similarity.DOT)) {
            List<Neighbor> found = search.nearest(new float[] {1, 1}, 10);
            assertEquals(List.of(5, 4, 1, 3, 2, 0, 6), found.stream().map(Neighbor::row).toList());
            assertEquals(List.of(infinity, 2f, 1f, 0f, -infinity, Float.NaN, Float.NaN),
                    found.stream().map(Neighbor::score).toList());
            assertEquals(7, search.nearest(new float[] {Float.NaN, 1}, 7).size());
            assertEquals(0, search.nearest(new float[] {Float.NaN, 1}, 7).getFirst().row());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveVectorsOfLengthZeroTheCosineZero(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined();
                var search = VectorSearch.create(engine, floats(arena, 2, -1, -1, 0, 0, 3e10f, 3e10f), Similarity.COSINE)) {
            List<Neighbor> found = search.nearest(new float[] {2e-3f, 2e-3f}, 3);
            assertEquals(List.of(2, 1, 0), found.stream().map(Neighbor::row).toList());
            assertEquals(0, found.get(1).score());
            assertEquals(1, found.get(0).score(), 1e-6);
            assertEquals(-1, found.get(2).score(), 1e-6);
        }
    }

    /** What is written to the vectors between two searches counts, for any type. */
    @ParameterizedTest
    @EnumSource
    void shouldReadVectorsAnew(VectorType type) {
        try (Engine engine = Engine.create(); Arena arena = Arena.ofConfined()) {
            MemorySegment rows = arena.allocate(2 * type.bytes(8), 64);
            try (var search = VectorSearch.create(engine, VectorRows.of(rows, type, 8), Similarity.COSINE)) {
                MemorySegment query = arena.allocate(type.bytes(8), 4).fill((byte) 0x3f);
                MemorySegment row = arena.allocate(JAVA_INT);
                MemorySegment score = arena.allocate(JAVA_FLOAT);
                search.nearest(1, query, 1, row, score);
                assertEquals(0, row.get(JAVA_INT, 0));
                MemorySegment.copy(query, 0, rows, type.bytes(8), type.bytes(8));
                search.nearest(1, query, 1, row, score);
                assertEquals(1, row.get(JAVA_INT, 0));
                assertEquals(1, score.get(JAVA_FLOAT, 0), 1e-6);
            }
        }
    }

    @Test
    void shouldTakeBothFormsOfBitsOfTheQuantizer() {
        Random random = new Random(3);
        try (Engine engine = Engine.create(); Arena arena = Arena.ofConfined()) {
            List<List<Neighbor>> results = new ArrayList<>();
            for (Precision precision : List.of(Precision.BINARY, Precision.UBINARY)) {
                random.setSeed(4);
                var quantizer = EmbeddingQuantizer.of(precision);
                MemorySegment rows = arena.allocate(50L * precision.bytes(100));
                for (int row = 0; row < 50; row++) {
                    MemorySegment.copy(quantizer.quantize(vector(random)), 0, rows, JAVA_BYTE, row * 13L, 13);
                }
                try (var search = VectorSearch.create(engine, VectorRows.of(rows, VectorType.BINARY, 100), Similarity.COSINE)) {
                    results.add(search.nearest(quantizer.quantize(vector(random)), 50));
                }
            }
            assertEquals(results.get(0), results.get(1));
        }
    }

    private static float[] vector(Random random) {
        float[] vector = new float[100];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }

    @Test
    void shouldNameBothValuesWhenAnArgumentDoesNotFit() {
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1)); Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1200, 64);
            refused(() -> VectorRows.of(memory, VectorType.FLOAT, 384), "1536", "384", "1200");
            refused(() -> VectorRows.of(memory, VectorType.FLOAT, 0), "dimension", "0");
            refused(() -> new VectorRows(memory, VectorType.INT8, 100, 13), "1300", "1200");
            refused(() -> new VectorRows(memory.asSlice(2), VectorType.FLOAT, 2, 3), "aligned to 4");
            refused(() -> VectorRows.of(MemorySegment.ofArray(new byte[8]), VectorType.INT8, 2), "off-heap");
            var vectors = VectorRows.of(memory, VectorType.FLOAT, 100);
            refused(() -> VectorSearch.create(engine, vectors, Similarity.EUCLIDEAN), "COSINE or DOT", "EUCLIDEAN");
            try (Engine other = RecordingEngine.create()) {
                refused(() -> VectorSearch.create(other, vectors, Similarity.DOT), "a backend that computes there",
                        other.backend().toString());
            }
            try (var search = VectorSearch.create(engine, vectors, Similarity.DOT)) {
                refused(() -> search.nearest(new float[99], 1), "dimension 100", "99");
                refused(() -> search.nearest(new byte[100], 1), "FLOAT", "bytes");
                refused(() -> search.nearest(new float[100], 0), "k", "1", "0");
                MemorySegment out = arena.allocate(40, 4);
                refused(() -> search.nearest(-1, memory, 1, out, out), "queries", "-1");
                refused(() -> search.nearest(4, memory, 1, out, out), "1600", "1200", "queries");
                refused(() -> search.nearest(1, memory, 11, out, memory), "44", "40", "rows");
                refused(() -> search.nearest(1, memory, 11, memory, out), "44", "40", "scores");
                refused(() -> search.nearest(1, memory, 1, out.asReadOnly(), out), "rows is read-only");
                refused(() -> search.nearest(1, memory, Integer.MAX_VALUE, out, out), "8589934588", "40");
                assertEquals(3, search.nearest(0, memory, 5, out, out));
            }
            try (var search = VectorSearch.create(engine, VectorRows.of(memory, VectorType.BINARY, 95), Similarity.DOT)) {
                refused(() -> search.nearest(new byte[11], 1), "95", "12", "11");
                refused(() -> search.nearest(new float[95], 1), "BINARY", "floats");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseUseAfterClose(VectorType type) {
        Engine engine = Engine.create(EngineOptions.defaults().withThreads(1));
        Arena arena = Arena.ofShared();
        var vectors = VectorRows.of(arena.allocate(3 * type.bytes(8), 4), type, 8);
        MemorySegment query = MemorySegment.ofArray(new byte[(int) type.bytes(8)]);
        MemorySegment rows = MemorySegment.ofArray(new int[1]);
        MemorySegment scores = MemorySegment.ofArray(new float[1]);
        var search = VectorSearch.create(engine, vectors, Similarity.COSINE);
        assertEquals(1, search.nearest(1, query, 1, rows, scores));
        search.close();
        search.close();
        closed("search is closed", () -> search.nearest(1, query, 1, rows, scores));
        var another = VectorSearch.create(engine, vectors, Similarity.DOT);
        arena.close();
        closed("is closed", () -> another.nearest(1, query, 1, rows, scores));
        closed("is closed", () -> VectorSearch.create(engine, vectors, Similarity.DOT));
        another.close();
        try (Arena open = Arena.ofConfined()) {
            var others = VectorRows.of(open.allocate(3 * type.bytes(8), 4), type, 8);
            var last = VectorSearch.create(engine, others, Similarity.DOT);
            engine.close();
            closed("engine is closed", () -> last.nearest(1, query, 1, rows, scores));
            last.close();
            closed("engine is closed", () -> VectorSearch.create(engine, others, Similarity.DOT));
        }
    }

    private static VectorRows floats(Arena arena, int dimension, float... values) {
        return VectorRows.of(arena.allocateFrom(JAVA_FLOAT, values), VectorType.FLOAT, dimension);
    }

    private static void closed(String named, Executable call) {
        String message = assertThrows(IllegalStateException.class, call).getMessage();
        assertTrue(message.contains(named), message);
    }

    private static void refused(Executable call, String... named) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(Arrays.stream(named).allMatch(message::contains), message);
    }
}
