package dev.fovea.graph;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights in the types that files store give the same bits as after widening, and are packed no more than once. */
class StoredWeightsTest {
    private static final int VOCABULARY = 23;
    private static final int WIDTH = 67; // one full panel and a rest of each kernel table

    private final Random random = new Random(14);

    static List<Engine> engines() {
        return Engines.all();
    }

    private static List<DType> packed(Engine engine) {
        List<DType> types = new ArrayList<>(List.of(DType.F32, DType.F16, DType.BF16));
        if (engine.backend() != Backend.CUDA) {
            types.add(DType.I8);
        }
        return types;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveTheBitsOfWidenedWeights(Engine engine) {
        for (String stored : List.of("F16", "BF16", "U8", "I8")) {
            try (Arena arena = Arena.ofConfined()) {
                Weights weights = weights(arena, stored);
                Graph narrow = graph(weights, UnaryOperator.identity());
                Graph wide = graph(weights, weight -> Weight.of(weight.toF32(arena)));
                for (DType packed : packed(engine)) {
                    assertArrayEquals(run(wide, engine, packed), run(narrow, engine, packed),
                            stored + " packed as " + packed + " on " + engine);
                }
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldPackTiedWeightsOnce(Engine engine) {
        try (Arena arena = Arena.ofConfined()) {
            Weights weights = weights(arena, "BF16");
            for (DType packed : packed(engine)) {
                assertEquals(weightBytes(tied(weights, 1), engine, packed), weightBytes(tied(weights, 2), engine, packed));
                assertEquals(weightBytes(tied(weights, 1), engine, packed), weightBytes(tied(weights, 3), engine, packed));
            }
        }
    }

    /** Rows that overlap: the transposed matrix has the same strides, and its scales run along the other dimension. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldNotTakeATransposedMatrixForTheSame(Engine engine) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor bytes = Tensor.allocate(arena, DType.U8, Shape.of(2 * WIDTH - 1));
            bytes.segment().fill((byte) 1);
            float[] scales = new float[WIDTH];
            for (int i = 0; i < WIDTH; i++) {
                scales[i] = 1 + i;
            }
            Tensor square = Tensor.of(bytes.segment(), DType.U8, Shape.of(WIDTH, WIDTH), 1, 1);
            Weight weight = Weight.quantized(square, scales, new int[WIDTH], 0);
            Tensor ones = Tensor.allocate(arena, DType.F32, Shape.of(1, WIDTH));
            ones.segment().copyFrom(MemorySegment.ofArray(filled(WIDTH, 1)));
            Graph.Builder g = Graph.builder();
            Value x = g.embedding(ones, null, 0, null);
            Graph graph = g.build(g.linear(x, weight, null), g.linear(x, weight.transposed(), null));
            try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(1, 1)) {
                Batch batch = new Batch(List.of(new int[] {0}));
                float[] rows = batch.run(session, 0)[0];
                float[] columns = batch.run(session, 1)[0];
                for (int i = 0; i < WIDTH; i++) {
                    assertEquals(WIDTH * (1f + i), rows[i]);
                    assertEquals(WIDTH * (WIDTH + 1) / 2f, columns[i]);
                }
            }
        }
    }

    /** Pages of a file that were packed go back to the system, but not those that hold what the file does not. */
    @Test
    @Tag("slow")
    void shouldKeepTheChangesOfAPrivateMapping(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("weights");
        Shape shape = Shape.of(16_384, 2048); // 128 MB
        try (RandomAccessFile zeros = new RandomAccessFile(file.toFile(), "rw")) {
            zeros.setLength(shape.elements() * Float.BYTES);
        }
        try (Arena arena = Arena.ofConfined(); FileChannel channel = FileChannel.open(file, READ, WRITE)) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.PRIVATE, 0, channel.size(), arena);
            mapped.setAtIndex(ValueLayout.JAVA_FLOAT, 5, 1);
            Graph.Builder g = Graph.builder();
            Value x = g.embedding(Tensor.allocate(arena, DType.F32, Shape.of(1, 2048)), null, 0, null);
            Graph graph = g.build(g.linear(x, Tensor.of(mapped, DType.F32, shape), null));
            Plan.compile(graph, Engines.cpus().getLast(), DType.I8).close();
            assertEquals(1, mapped.getAtIndex(ValueLayout.JAVA_FLOAT, 5));
        }
    }

    private static float[] filled(int count, float value) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return values;
    }

    @Test
    void shouldNotCopyWordEmbeddings() {
        try (Arena arena = Arena.ofConfined()) {
            Weight words = Weight.of(Tensor.allocate(arena, DType.BF16, Shape.of(100_000, 64)));
            Graph.Builder g = Graph.builder();
            Graph graph = g.build(g.pool(g.embedding(words, null, 0, null), Pooling.MEAN));
            for (Engine engine : engines()) {
                if (!engine.isa().equals("recording")) { // copies all, as a device would
                    assertTrue(weightBytes(graph, engine, DType.F32) < 1000, engine.toString());
                }
            }
        }
    }

    /** A layer of every op that takes weights. */
    private static Graph graph(Weights weights, UnaryOperator<Weight> as) {
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(as.apply(weights.words), as.apply(weights.positions), 0, as.apply(weights.type));
        x = g.layerNorm(x, as.apply(weights.gamma), as.apply(weights.beta), 1e-5f);
        Value wide = g.activate(g.linear(x, as.apply(weights.up), as.apply(weights.bias)), Activation.GELU_TANH);
        x = g.add(x, g.linear(wide, as.apply(weights.up.transposed()), null));
        x = g.rmsNorm(g.layerNorm(x, as.apply(weights.gamma), (Weight) null, 1e-5f), as.apply(weights.gamma), 1e-6f);
        return g.build(g.linear(x, as.apply(weights.words), null), g.pool(x, Pooling.MEAN));
    }

    /** {@code products} products with the word embeddings, the rows of which are read as well. */
    private static Graph tied(Weights weights, int products) {
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(weights.words, null, 0, null);
        Value sum = g.linear(x, weights.words, null);
        for (int i = 1; i < products; i++) {
            sum = g.add(sum, g.linear(g.activate(x, Activation.RELU), weights.words, null));
        }
        return g.build(g.pool(sum, Pooling.MEAN));
    }

    private static float[][] run(Graph graph, Engine engine, DType packed) {
        Batch batch = Batch.random(5, VOCABULARY, 7, 1, 12);
        try (Plan plan = Plan.compile(graph, engine, packed); Session session = plan.newSession(20, 3)) {
            return batch.run(session, 0);
        }
    }

    private static long weightBytes(Graph graph, Engine engine, DType packed) {
        try (Plan plan = Plan.compile(graph, engine, packed)) {
            return plan.weightBytes();
        }
    }

    private record Weights(
            Weight words, Weight positions, Weight type, Weight gamma, Weight beta, Weight up, Weight bias) {}

    private Weights weights(Arena arena, String stored) {
        return new Weights(weight(arena, stored, VOCABULARY, WIDTH), weight(arena, stored, 20, WIDTH),
                weight(arena, stored, 2, WIDTH).row(1), weight(arena, stored, WIDTH), weight(arena, stored, WIDTH),
                weight(arena, stored, 2 * WIDTH, WIDTH), weight(arena, stored, 2 * WIDTH));
    }

    private Weight weight(Arena arena, String stored, long... sizes) {
        Tensor tensor = Tensor.allocate(arena, DType.valueOf(stored), Shape.of(sizes));
        long elements = tensor.shape().elements();
        if (tensor.dtype().isFloatingPoint()) {
            for (long i = 0; i < elements; i++) {
                float value = 0.2f * (float) random.nextGaussian();
                tensor.segment().setAtIndex(ValueLayout.JAVA_SHORT, i, stored.equals("F16")
                        ? Float.floatToFloat16(value)
                        : (short) (Float.floatToRawIntBits(value) >>> 16));
            }
            return Weight.of(tensor);
        }
        byte[] bytes = new byte[(int) elements];
        random.nextBytes(bytes);
        tensor.segment().copyFrom(MemorySegment.ofArray(bytes));
        int rows = (int) sizes[0];
        float[] scales = new float[rows];
        int[] zeroPoints = new int[rows];
        for (int i = 0; i < rows; i++) {
            scales[i] = 0.002f + 0.001f * random.nextFloat();
            zeroPoints[i] = stored.equals("U8") ? random.nextInt(256) : random.nextInt(-128, 128);
        }
        return Weight.quantized(tensor, scales, zeroPoints, 0);
    }
}
