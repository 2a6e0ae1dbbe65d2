package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Random weights of each layout, shape, strides and scales, in segments of exactly the bytes that they need. */
class WeightPropertyTest {
    private static final int CASES = 3000;
    private static final float UNTOUCHED = 1234.5f;

    /** A weight and the values that it must have, row by row. */
    private record Case(Weight weight, float[][] values) {}

    @Test
    void shouldReadWhatIndependentDecodingGives() {
        Set<String> seen = new HashSet<>();
        Random seeds = new Random(1); // of seeds in a row, the first draws are alike
        for (int i = 0; i < CASES; i++) {
            long seed = seeds.nextLong();
            var random = new Random(seed);
            try (Arena arena = Arena.ofConfined()) {
                Case each = random(random, arena);
                String name = "seed " + seed + ", " + each.weight;
                check(name, each.weight, each.values, random);
                checkViews(name, each, random);
                checkCopy(name, each, arena);
                seen.add(each.weight.layout() + (each.weight.scales() == null ? "" : " scaled by dimension "
                        + each.weight.scaleDimension() + (each.weight.scales().size(0) > 1 ? ", each" : "")));
            }
        }
        int unscaled = Layout.values().length - 2;
        assertEquals(unscaled + 2 * 4, seen.size(), seen.toString());
    }

    private static Case random(Random random, Arena arena) {
        Layout layout = Layout.values()[random.nextInt(Layout.values().length)];
        int rank = 1 + random.nextInt(2);
        int block = layout.blockValues();
        int rows = rank == 1 ? 1 : random.nextInt(7);
        int columns = (block == 1 ? random.nextInt(60) : random.nextInt(4)) * block;
        Shape shape = rank == 1 ? Shape.of(columns) : Shape.of(rows, columns);
        long[] strides = block == 1 ? randomStrides(random, shape) : shape.denseStrides();
        long last = 0;
        for (int i = 0; i < rank; i++) {
            last += (shape.size(i) - 1) * strides[i];
        }
        int blocks = shape.elements() == 0 ? 0 : (int) (last / block) + 1;
        byte[] bytes = new byte[blocks * layout.blockBytes()];
        random.nextBytes(bytes);
        int dimension = random.nextInt(rank);
        int count = random.nextBoolean() ? 1 : (int) shape.size(dimension);
        float[] scales = new float[count];
        int[] zeroPoints = new int[count];
        for (int i = 0; i < count; i++) {
            scales[i] = (float) random.nextGaussian();
            zeroPoints[i] = random.nextInt(256) - (layout == Layout.I8 ? 128 : 0);
        }
        float[][] values = new float[rows][columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                double value = StoredValues.value(layout, bytes,
                        rank == 1 ? j * strides[0] : i * strides[0] + j * strides[1]);
                int scale = count == 1 ? 0 : dimension == rank - 1 ? j : i;
                values[i][j] = (float) (layout.needsScales() ? scales[scale] * (value - zeroPoints[scale]) : value);
            }
        }
        var segment = StoredValues.segment(arena, random.nextInt(4), bytes);
        if (!layout.isPlain()) {
            return new Case(Weight.ofBlocks(segment, layout, shape), values);
        }
        Tensor tensor = Tensor.of(segment, DType.valueOf(layout.name()), shape, strides);
        boolean scaled = layout.needsScales();
        return new Case(scaled ? Weight.quantized(tensor, scales, zeroPoints, dimension) : Weight.of(tensor), values);
    }

    private static long[] randomStrides(Random random, Shape shape) {
        long[] strides = shape.denseStrides();
        switch (random.nextInt(4)) {
            case 0 -> { }
            case 1 -> Arrays.setAll(strides, i -> random.nextInt(5));
            case 2 -> Arrays.setAll(strides, i -> strides[i] * (1 + random.nextInt(3)));
            default -> {
                strides[0] = 1;
                if (strides.length == 2) {
                    strides[1] = shape.size(0) + random.nextInt(2);
                }
            }
        }
        return strides;
    }

    /** All of each row, and one part of it, which leaves the rest of the target alone. */
    private static void check(String name, Weight weight, float[][] values, Random random) {
        for (int row = 0; row < values.length; row++) {
            int columns = values[row].length;
            check(name, weight, row, 0, columns, values[row]);
            int column = random.nextInt(columns + 1);
            check(name, weight, row, column, random.nextInt(columns - column + 1), values[row]);
        }
    }

    private static void check(String name, Weight weight, int row, int column, int count, float[] values) {
        float[] target = new float[count + 3];
        Arrays.fill(target, UNTOUCHED);
        weight.read(row, column, count, target, 2);
        for (int i = 0; i < target.length; i++) {
            boolean read = i >= 2 && i < 2 + count;
            String at = name + " at " + row + ", " + (column + i - 2);
            assertEquals(read ? values[column + i - 2] : UNTOUCHED, target[i], at);
        }
    }

    private static void checkViews(String name, Case each, Random random) {
        Weight weight = each.weight;
        if (weight.rank() == 1) {
            return;
        }
        for (int row = 0; row < each.values.length; row++) {
            Weight view = weight.row(row);
            assertEquals(Shape.of(weight.size(1)), view.shape(), name);
            assertEquals(0, view.scaleDimension(), name);
            check(name + " row", view, new float[][] {each.values[row]}, random);
        }
        if (weight.layout().isPlain()) {
            Weight transposed = weight.transposed();
            assertEquals(Shape.of(weight.size(1), weight.size(0)), transposed.shape(), name);
            check(name + " transposed", transposed, transpose(each.values, (int) weight.size(1)), random);
            check(name + " transposed twice", transposed.transposed(), each.values, random);
            assertEquals(weight.toString(), transposed.transposed().toString());
            for (int column = 0; column < weight.size(1); column++) {
                float[][] values = {transpose(each.values, (int) weight.size(1))[column]};
                check(name + " column", transposed.row(column), values, random);
            }
        }
    }

    private static float[][] transpose(float[][] values, int columns) {
        float[][] transposed = new float[columns][values.length];
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j][i] = values[i][j];
            }
        }
        return transposed;
    }

    private static void checkCopy(String name, Case each, Arena arena) {
        Tensor copy = each.weight.toF32(arena);
        assertEquals(DType.F32, copy.dtype(), name);
        assertEquals(each.weight.shape(), copy.shape(), name);
        assertEquals(0, copy.segment().address() % 64, name);
        int columns = (int) each.weight.size(each.weight.rank() - 1);
        for (int i = 0; i < each.values.length; i++) {
            for (int j = 0; j < columns; j++) {
                float value = copy.segment().getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * columns + j);
                assertEquals(each.values[i][j], value, name + " at " + i + ", " + j);
            }
        }
        assertTrue(Weight.of(copy).isDense(), name);
    }
}
