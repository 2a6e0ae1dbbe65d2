package dev.fovea.bench.attention;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.bench.natives.StudyLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The three loops in C, a downcall per head. */
final class NaiveCSide implements AttentionSide {
    private static final long ALIGNMENT = 64;
    private static final MethodHandle ATTEND = StudyLibrary.function("fb_attention_naive",
            FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    private final Arena arena = Arena.ofShared();
    private final AttentionWork work;
    private final MemorySegment query;
    private final MemorySegment key;
    private final MemorySegment value;
    private final MemorySegment scores; // [threads, tokens, tokens]
    private final MemorySegment out;

    NaiveCSide(AttentionWork work, AttentionInputs inputs) {
        this.work = work;
        query = arena.allocateFrom(JAVA_FLOAT, inputs.query());
        key = arena.allocateFrom(JAVA_FLOAT, inputs.key());
        value = arena.allocateFrom(JAVA_FLOAT, inputs.value());
        scores = arena.allocate(scratchBytes(), ALIGNMENT);
        out = arena.allocate(query.byteSize(), ALIGNMENT);
    }

    @Override
    public void attend() {
        Parallel.run(work.threads(), work.heads(), this::attend);
    }

    private void attend(int worker, int begin, int end) {
        long head = query.byteSize() / work.heads();
        MemorySegment matrix = scores.asSlice(worker * scoreBytes(), scoreBytes());
        for (int h = begin; h < end; h++) {
            try {
                ATTEND.invokeExact(work.tokens(), work.headDim(), work.causal() ? 1 : 0,
                        query.asSlice(h * head, head), key.asSlice(h * head, head), value.asSlice(h * head, head),
                        matrix, out.asSlice(h * head, head));
            } catch (Throwable e) {
                throw new IllegalStateException("fb_attention_naive", e);
            }
        }
    }

    private long scoreBytes() {
        return (long) work.tokens() * work.tokens() * Float.BYTES;
    }

    @Override
    public float[] result() {
        return out.toArray(JAVA_FLOAT);
    }

    @Override
    public long scratchBytes() {
        return work.threads() * scoreBytes();
    }

    @Override
    public String setting() {
        return "three loops over all scores of a head, -O3 for any CPU of the platform, [heads, tokens, head_dim]";
    }

    @Override
    public void close() {
        arena.close();
    }
}
