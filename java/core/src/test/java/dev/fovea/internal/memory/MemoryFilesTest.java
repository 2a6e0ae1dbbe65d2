package dev.fovea.internal.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MemoryFilesTest {
    private final MemoryFiles files = new MemoryFiles("model");
    private final Path directory = files.directory();
    private final byte[] large = new byte[(5 << 20) + 3];

    @BeforeEach
    void fill() throws IOException {
        new Random(1).nextBytes(large);
        files.put("large", new ByteArrayInputStream(large));
        files.put("sub/text", new ByteArrayInputStream("Köln".getBytes("UTF-8")));
        files.put("empty", new ByteArrayInputStream(new byte[0]));
    }

    @Test
    void shouldReadAsFilesAreRead() throws IOException {
        assertArrayEquals(large, Files.readAllBytes(directory.resolve("large")));
        assertEquals("Köln", Files.readString(directory.resolve("sub").resolve("text")));
        assertEquals("Köln", Files.readString(directory.resolve("sub/../sub/./text")));
        assertEquals(0, Files.readAllBytes(directory.resolve("empty")).length);
        assertEquals(large.length, Files.size(directory.resolve("large")));
        try (var in = Files.newInputStream(directory.resolve("large")); var channel =
                Files.newByteChannel(directory.resolve("large"))) {
            assertArrayEquals(large, in.readAllBytes());
            assertEquals(large.length, channel.size());
            channel.close();
            assertThrows(ClosedChannelException.class, channel::position);
        }
    }

    @Test
    void shouldKnowWhatIsThere() throws IOException {
        assertTrue(Files.isDirectory(directory) && Files.isDirectory(directory.resolve("sub")));
        assertTrue(Files.isRegularFile(directory.resolve("empty")) && Files.isReadable(directory.resolve("empty")));
        assertFalse(Files.isDirectory(directory.resolve("empty")) || Files.isWritable(directory.resolve("empty")));
        for (String absent : new String[] {"absent", "sub/absent", "..", "../model2"}) {
            assertFalse(Files.exists(directory.resolve(absent)), absent);
            assertThrows(NoSuchFileException.class, () -> Files.readString(directory.resolve(absent)), absent);
        }
        try (var listed = Files.walk(directory)) {
            assertEquals(List.of("", "empty", "large", "sub", "sub/text"),
                    listed.map(file -> directory.relativize(file).toString()).sorted().toList());
        }
        assertEquals("model", directory.getFileName().toString());
        assertEquals(directory.resolve("empty"), directory.toAbsolutePath().normalize().resolve("empty"));
    }

    @Test
    void shouldRefuseToWrite() {
        Path file = directory.resolve("empty");
        assertThrows(ReadOnlyFileSystemException.class, () -> Files.writeString(file, "text"));
        assertThrows(ReadOnlyFileSystemException.class, () -> Files.delete(file));
        assertThrows(ReadOnlyFileSystemException.class, () -> Files.createDirectory(directory.resolve("new")));
        assertThrows(ReadOnlyFileSystemException.class, () -> Files.move(file, directory.resolve("new")));
    }

    @Test
    void shouldGiveTheBytesWhereTheyLie() throws IOException {
        var bytes = MemoryFiles.bytes(directory.resolve("large"));
        assertArrayEquals(large, bytes.toArray(ValueLayout.JAVA_BYTE));
        assertTrue(bytes.isNative() && bytes.isReadOnly());
        assertNull(MemoryFiles.bytes(directory));
        assertNull(MemoryFiles.bytes(directory.resolve("absent")));
        assertNull(MemoryFiles.bytes(Path.of("large")));
    }
}
