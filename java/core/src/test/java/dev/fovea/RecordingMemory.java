package dev.fovea;

import dev.fovea.internal.backend.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** Memory of {@link RecordingEngine}: what lies in it is visible during a run alone, NaN at all other times. */
final class RecordingMemory implements DeviceMemory {
    private static final AtomicLong NEXT_ADDRESS = new AtomicLong(0x1000);
    private static final byte NOT_A_NUMBER = (byte) 0xff;

    private final long address;
    private final byte[] stored;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment visible;

    RecordingMemory(long bytes) {
        this.address = NEXT_ADDRESS.getAndAdd(bytes + 1);
        this.stored = new byte[Math.toIntExact(bytes)];
        this.visible = arena.allocate(bytes, 64).fill(NOT_A_NUMBER);
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public long bytes() {
        return stored.length;
    }

    MemorySegment visible() {
        return visible;
    }

    void show() {
        MemorySegment.copy(stored, 0, visible, ValueLayout.JAVA_BYTE, 0, stored.length);
    }

    void hide() {
        MemorySegment.copy(visible, ValueLayout.JAVA_BYTE, 0, stored, 0, stored.length);
        visible.fill(NOT_A_NUMBER);
    }

    void write(long offset, MemorySegment source) {
        MemorySegment.copy(source, ValueLayout.JAVA_BYTE, 0, stored, (int) offset, (int) source.byteSize());
    }

    void read(long offset, MemorySegment target) {
        MemorySegment.copy(stored, (int) offset, target, ValueLayout.JAVA_BYTE, 0, (int) target.byteSize());
    }

    void copyFrom(RecordingMemory source, long sourceOffset, long targetOffset, long bytes) {
        System.arraycopy(source.stored, (int) sourceOffset, stored, (int) targetOffset, (int) bytes);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            Arrays.fill(stored, NOT_A_NUMBER);
            arena.close();
        }
    }
}
