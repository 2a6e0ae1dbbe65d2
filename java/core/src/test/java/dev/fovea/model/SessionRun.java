package dev.fovea.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Two sequences of a {@link TinyModel}, encoded by a session that a test holds. */
record SessionRun(EncoderSession session, Arena arena, MemorySegment ids, MemorySegment offsets, MemorySegment out)
        implements AutoCloseable {
    SessionRun(EncoderSession session, int dimension) {
        Arena arena = Arena.ofConfined();
        this(session, arena, arena.allocateFrom(ValueLayout.JAVA_INT, 2, 7, 8, 3, 2, 9, 3),
                arena.allocateFrom(ValueLayout.JAVA_INT, 0, 4, 7), arena.allocate(ValueLayout.JAVA_FLOAT, 2L * dimension));
    }

    float[] encode() {
        session.encode(ids, offsets, out);
        return out.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public void close() {
        arena.close();
    }
}
