package dev.fovea.bench.decode;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.bench.study.Verdict;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;

/** llama.cpp, with keys and values in F16. Tokens are fed to it as they are: it chooses none. */
final class LlamaCppSide implements DecoderSide {
    private static final int MOST_TOKENS = 1 << 15;

    private final LlamaCpp llama;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment tokens = arena.allocate(JAVA_INT, MOST_TOKENS);
    private final MemorySegment batch = LlamaCpp.batch(arena, tokens);
    private final int vocabulary;
    private final MemorySegment model;
    private final MemorySegment context;
    private final int threads;
    private final boolean flashAttention;

    /** Loads a file. */
    LlamaCppSide(LlamaCpp llama, Path file, int vocabulary, int tokens, int threads, boolean flashAttention) {
        this.llama = llama;
        this.vocabulary = vocabulary;
        this.threads = threads;
        this.flashAttention = flashAttention;
        model = LlamaCpp.call(() -> (MemorySegment) llama.loadModel.invokeExact(arena.allocateFrom(file.toString()),
                (MemorySegment) llama.modelDefaults.invokeExact((SegmentAllocator) arena)));
        if (model.equals(MemorySegment.NULL)) {
            throw Verdict.absent("llama.cpp does not load " + file);
        }
        context = context(tokens, 1);
    }

    /** A context of so many tokens in each of some sequences. */
    private MemorySegment context(int tokens, int sequences) {
        return LlamaCpp.call(() -> {
            MemorySegment params = (MemorySegment) llama.contextDefaults.invokeExact((SegmentAllocator) arena);
            LlamaCpp.set(params, tokens * sequences, threads, flashAttention);
            LlamaCpp.setSequences(params, sequences);
            MemorySegment made = (MemorySegment) llama.init.invokeExact(model, params);
            int most = (int) llama.sequences.invokeExact(made);
            if (most != sequences) {
                throw new IllegalStateException("expected a context of " + sequences + " sequences, got " + most);
            }
            return made;
        });
    }

    private void clear() {
        LlamaCpp.call(() -> {
            llama.clear.invokeExact((MemorySegment) llama.memory.invokeExact(context), false);
            return null;
        });
    }

    /** Reads tokens behind those that there are; their last one's logits. */
    private MemorySegment run(int[] ids) {
        MemorySegment.copy(ids, 0, tokens, JAVA_INT, 0, ids.length);
        LlamaCpp.setCount(batch, ids.length);
        return LlamaCpp.call(() -> {
            int status = (int) llama.decode.invokeExact(context, batch);
            if (status != 0) {
                throw new IllegalStateException("llama_decode gives " + status);
            }
            llama.synchronize.invokeExact(context);
            return ((MemorySegment) llama.logits.invokeExact(context, -1)).reinterpret((long) vocabulary * Float.BYTES);
        });
    }

    @Override
    public float[] logProbabilities(int[] prompt, int[] expected) {
        clear();
        float[] found = new float[expected.length];
        MemorySegment logits = run(prompt);
        for (int i = 0; i < expected.length; i++) {
            double sum = 0;
            for (int token = 0; token < vocabulary; token++) {
                sum += Math.exp(LlamaCpp.logit(logits, token));
            }
            found[i] = (float) (LlamaCpp.logit(logits, expected[i]) - Math.log(sum));
            logits = run(new int[] {expected[i]});
        }
        return found;
    }

    @Override
    public long read(int[] prompt) {
        clear();
        long started = System.nanoTime();
        run(prompt);
        return System.nanoTime() - started;
    }

    @Override
    public long decode(int[] prompt, int count) {
        read(prompt);
        int[] one = new int[1];
        long started = System.nanoTime();
        for (int i = 0; i < count; i++) {
            one[0] = prompt[i % prompt.length];
            run(one);
        }
        return System.nanoTime() - started;
    }

    /** Its prompts are read as tokens are, one of each at a time; that is not timed. */
    @Override
    public double decodeTogether(int[][] prompts, int count) {
        int sequences = prompts.length;
        int length = prompts[0].length;
        MemorySegment together = context(length + count + 1, sequences);
        MemorySegment ids = arena.allocate(JAVA_INT, sequences);
        MemorySegment positions = arena.allocate(JAVA_INT, sequences);
        MemorySegment batched = LlamaCpp.batch(arena, ids, positions, sequences);
        long started = 0;
        for (int step = 0; step < length + count; step++) {
            if (step == length) {
                started = System.nanoTime();
            }
            for (int i = 0; i < sequences; i++) {
                ids.setAtIndex(JAVA_INT, i, prompts[i][step % length]);
                positions.setAtIndex(JAVA_INT, i, step);
            }
            LlamaCpp.call(() -> {
                int status = (int) llama.decode.invokeExact(together, batched);
                if (status != 0) {
                    throw new IllegalStateException("llama_decode gives " + status);
                }
                llama.synchronize.invokeExact(together);
                return null;
            });
        }
        double rate = sequences * count * 1e9 / (System.nanoTime() - started);
        LlamaCpp.call(() -> {
            llama.freeContext.invokeExact(together);
            return null;
        });
        return rate;
    }

    @Override
    public void close() {
        LlamaCpp.call(() -> {
            llama.freeContext.invokeExact(context);
            llama.freeModel.invokeExact(model);
            return null;
        });
        arena.close();
    }
}
