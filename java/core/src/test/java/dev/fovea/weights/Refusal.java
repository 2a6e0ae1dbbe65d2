package dev.fovea.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.function.Executable;

/** How a parser must refuse a file: with a {@link FormatException} that names file, field and values. */
final class Refusal {
    private static final int FLIPS = 600;

    private Refusal() {}

    /** Writes {@code content} to {@code file} and expects that opening it fails so. */
    static FormatException expect(Path file, byte[] content, String field, String... words) throws IOException {
        Files.write(file, content);
        FormatException failure = assertThrows(FormatException.class, () -> Weights.open(file).close());
        assertEquals(file, failure.file());
        assertTrue(failure.field().contains(field), failure.field() + " does not name " + field);
        String message = failure.getMessage();
        assertTrue(message.startsWith(file.toString()) && message.contains(failure.field()), message);
        assertFalse(failure.problem().matches("(?s).*(Exception|Reader|http|\\R).*"), message);
        assertTrue(failure.offset() <= content.length, message);
        assertTrue(failure.offset() < 0 || message.contains("byte " + failure.offset() + ","), message);
        for (String word : words) {
            assertTrue(message.contains(word), message + " does not say " + word);
        }
        return failure;
    }

    /** Expects each proper prefix of a valid file to be refused. */
    static void expectOfEachPrefix(Path file, byte[] valid) throws IOException {
        for (int length = 0; length < valid.length; length++) {
            expect(file, Arrays.copyOf(valid, length), "");
        }
    }

    /** Flips random bits of a valid file: each result must be refused as usual, or be read without a fault. */
    static void expectOrReadEachFlip(Path file, byte[] valid, long seed) throws IOException {
        Random random = new Random(seed);
        for (int i = 0; i < FLIPS; i++) {
            byte[] flipped = valid.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            }
            Files.write(file, flipped);
            try (Weights weights = Weights.open(file)) {
                readAll(weights);
            } catch (FormatException refused) {
                assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
            } catch (RuntimeException fault) {
                fail("flip " + i + " of seed " + seed, fault);
            }
        }
    }

    private static void readAll(Weights weights) {
        try (Arena arena = Arena.ofConfined()) {
            readAll(weights, arena);
        }
    }

    private static void readAll(Weights weights, Arena arena) {
        for (String name : weights.names()) {
            try {
                Tensor tensor = weights.get(name);
                byte[] all = tensor.segment().toArray(ValueLayout.JAVA_BYTE);
                assertEquals(tensor.shape().elements() * tensor.dtype().bytes(), all.length, name);
                if (weights.isFloatingPoint(name)) {
                    readAll(weights, arena, name);
                }
            } catch (IllegalArgumentException unsupported) {
                assertTrue(unsupported.getMessage().contains("supported are"), unsupported.getMessage());
            }
        }
    }

    private static void readAll(Weights weights, Arena arena, String name) {
        Tensor values = weights.getF32(arena, name);
        assertEquals(weights.get(name).shape(), values.shape());
        if (values.rank() != 1 && values.rank() != 2) {
            expect(IllegalArgumentException.class, () -> weights.weight(name), name, values.shape().toString());
            return;
        }
        Weight weight = weights.weight(name);
        assertEquals(values.shape(), weight.shape());
        float[] row = new float[(int) Math.min(64, weight.size(weight.rank() - 1))];
        for (long i = 0; i < Math.min(64, weight.rank() == 1 ? 1 : weight.size(0)); i++) {
            weight.read(i, 0, row.length, row, 0);
            for (int j = 0; j < row.length; j++) {
                assertEquals(weight.rank() == 1 ? values.getFloat(j) : values.getFloat(i, j), row[j], name);
            }
        }
    }

    /** Expects an exception of this type whose message has all these words. */
    static void expect(Class<? extends Throwable> type, Executable action, String... words) {
        String message = assertThrows(type, action).getMessage();
        for (String word : words) {
            assertTrue(message.contains(word), message + " does not say " + word);
        }
    }
}
