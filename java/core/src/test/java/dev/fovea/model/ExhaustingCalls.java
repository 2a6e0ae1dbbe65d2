package dev.fovea.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes where ever less of the stack or the heap is left, and again where there is enough. Prints how often that
 * failed; a vector that differs afterwards, or any other failure, is one of the program.
 */
final class ExhaustingCalls {
    private static final List<String> TEXTS = List.of("w1 w2 w3", "w4", "w5 w6");
    private static final int STACK_BYTES = 512 << 10;
    private static final int LAST_FRAMES = 1500;
    private static final int KEEP_STEP = 256;
    private static final int KEEP_STEPS = 40;

    private final TextEncoder encoder;
    private final float[][] expected;
    private int depth;
    private int failures;

    private ExhaustingCalls(TextEncoder encoder) {
        this.encoder = encoder;
        this.expected = encoder.encodeAll(TEXTS);
    }

    /** Arguments: {@code stack} or {@code heap}, and a model's directory. */
    public static void main(String[] arguments) throws Exception {
        try (TextEncoder encoder = TextEncoder.load(Path.of(arguments[1]))) {
            var calls = new ExhaustingCalls(encoder);
            // Whatever a first call initialises would be spoilt by a stack that overflows there.
            for (int i = 0; i < 200; i++) {
                encoder.encodeAll(TEXTS);
            }
            if (arguments[0].equals("stack")) {
                calls.exhaustStack();
            } else {
                calls.exhaustHeap();
            }
            System.out.println("failed " + calls.failures + " times, the same afterwards");
        }
    }

    private void exhaustStack() throws InterruptedException {
        onThread(() -> {
            try {
                deeper(Integer.MAX_VALUE);
            } catch (StackOverflowError e) {
                // What it was for: depth.
            }
        });
        int deepest = depth;
        for (int frames = deepest - LAST_FRAMES; frames < deepest; frames++) {
            int below = frames;
            onThread(() -> deeper(below));
            verify();
        }
    }

    private void onThread(Runnable work) throws InterruptedException {
        Thread thread = new Thread(null, () -> {
            try {
                work.run();
            } catch (StackOverflowError e) {
                failures++;
            }
        }, "deep", STACK_BYTES);
        thread.start();
        thread.join();
    }

    private void deeper(int frames) {
        depth++;
        if (frames > 0) {
            deeper(frames - 1);
        } else {
            encoder.encodeAll(TEXTS);
        }
        depth--;
    }

    private void exhaustHeap() {
        for (int step = 0; step < KEEP_STEPS; step++) {
            List<byte[]> filling = new ArrayList<>(10_000);
            byte[] kept = new byte[step * KEEP_STEP + 1];
            fill(filling);
            kept = null;
            try {
                encoder.encodeAll(TEXTS);
            } catch (OutOfMemoryError e) {
                failures++;
            }
            filling.clear();
            verify();
        }
    }

    private static void fill(List<byte[]> filling) {
        for (int bytes = 1 << 20; bytes > 16; bytes /= 2) {
            try {
                while (true) {
                    filling.add(new byte[bytes]);
                }
            } catch (OutOfMemoryError e) {
                // Then with smaller ones.
            }
        }
    }

    private void verify() {
        if (!Arrays.deepEquals(expected, encoder.encodeAll(TEXTS))) {
            throw new AssertionError("other vectors after " + failures + " failures");
        }
    }
}
