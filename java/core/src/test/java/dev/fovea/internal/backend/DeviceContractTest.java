package dev.fovea.internal.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every device promises of its memory. */
class DeviceContractTest {
    static List<TestEngine> engines() {
        return TestEngine.devices();
    }

    private static byte[] download(Device device, DeviceMemory memory, long offset, int bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(bytes);
            device.download(memory, offset, target);
            return target.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveZeroedMemoryOfTheSizeAskedFor(TestEngine backend) {
        try (Engine engine = backend.create(); DeviceMemory memory = Device.of(engine).allocate(1000)) {
            assertEquals(1000, memory.bytes());
            assertArrayEquals(new byte[1000], download(Device.of(engine), memory, 0, 1000));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveBackWhatWasUploadedAndCopied(TestEngine backend) {
        try (Engine engine = backend.create(); Arena arena = Arena.ofConfined()) {
            Device device = Device.of(engine);
            MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) 1, (byte) 2, (byte) 3, (byte) 4);
            try (DeviceMemory a = device.allocate(16); DeviceMemory b = device.allocate(8)) {
                device.upload(source, a, 5);
                device.copy(a, 6, b, 1, 3);
                assertArrayEquals(new byte[] {0, 1, 2, 3, 4, 0}, download(device, a, 4, 6));
                assertArrayEquals(new byte[] {0, 2, 3, 4, 0, 0, 0, 0}, download(device, b, 0, 8));
                device.copy(a, 5, a, 10, 4);
                assertArrayEquals(new byte[] {1, 2, 3, 4, 0, 1, 2, 3, 4}, download(device, a, 5, 9));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCloseMemoryTwice(TestEngine backend) {
        try (Engine engine = backend.create()) {
            DeviceMemory memory = Device.of(engine).allocate(64);
            memory.close();
            memory.close();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveNoMemoryOnceClosed(TestEngine backend) {
        Engine engine = backend.create();
        engine.close();
        assertThrows(IllegalStateException.class, () -> Device.of(engine).allocate(64));
    }

    /** A fork shares pages until it is written to: the copy is made on the device, in every layer. */
    @ParameterizedTest
    @MethodSource("engines")
    void shouldCopyASharedPageBeforeItIsWrittenTo(TestEngine backend) {
        try (Engine engine = backend.create(); Arena arena = Arena.ofConfined()) {
            Device device = Device.of(engine);
            Owner.create("store", owner -> {
                var spec = AttentionSpec.of(1, 2);
                var store = new CacheStore(device, owner, List.of(spec, spec), 2, 200, Layout.F32);
                var batch = new Batch(arena, new BatchLimits(-1, 0, Long.MAX_VALUE, Integer.MAX_VALUE, 0), 8, 2);
                take(batch, 0, 3, 3);
                store.begin(batch);
                store.commit();
                int page = store.pageTable().segment().getAtIndex(ValueLayout.JAVA_INT, 0);
                long pageBytes = 128L * 2 * Float.BYTES;
                MemorySegment seven = arena.allocate(pageBytes).fill((byte) 7);
                device.upload(seven, store.values(1), page * pageBytes);
                store.fork(0, 1);
                take(batch, 0, 0, 2);
                store.begin(batch);
                store.commit();
                int own = store.pageTable().segment().getAtIndex(ValueLayout.JAVA_INT, 2);
                assertNotEquals(page, own);
                assertArrayEquals(seven.toArray(ValueLayout.JAVA_BYTE),
                        download(device, store.values(1), own * pageBytes, (int) pageBytes));
                assertEquals(3, store.length(0));
                assertEquals(5, store.length(1));
                owner.close();
                return null;
            });
        }
    }

    private static void take(Batch batch, int... offsets) {
        batch.take(offsets.length - 1, MemorySegment.ofArray(new int[8]), MemorySegment.ofArray(offsets), null);
    }
}
