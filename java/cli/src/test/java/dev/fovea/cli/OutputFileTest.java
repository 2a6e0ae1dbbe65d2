package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {
    @TempDir
    private Path directory;

    private static void write(OutputFile file, String text) throws IOException {
        file.channel().write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    private List<Path> files() throws IOException {
        try (var files = Files.list(directory)) {
            return files.toList();
        }
    }

    @Test
    void shouldAppearWhenCommitted() throws IOException {
        Path path = directory.resolve("out");
        try (OutputFile file = OutputFile.create(path)) {
            write(file, "new");
            assertFalse(Files.exists(path));
            file.commit();
        }
        assertEquals("new", Files.readString(path));
        assertEquals(List.of(path), files());
    }

    @Test
    void shouldLeaveTheOldFileUnlessCommitted() throws IOException {
        Path path = Files.writeString(directory.resolve("out"), "old");
        try (OutputFile file = OutputFile.create(path)) {
            write(file, "new");
        }
        assertEquals("old", Files.readString(path));
        assertEquals(List.of(path), files());
    }

    @Test
    void shouldRemoveWhatAKilledProcessLeftWhenItIsADayOld() throws IOException {
        Path path = directory.resolve("out");
        Path old = Files.writeString(directory.resolve(".out.123.part"), "half");
        Path young = Files.writeString(directory.resolve(".out.124.part"), "half");
        Path other = Files.writeString(directory.resolve(".out.x.123.part"), "another's");
        FileTime aDayAgo = FileTime.from(Instant.now().minus(Duration.ofHours(25)));
        Files.setLastModifiedTime(old, aDayAgo);
        Files.setLastModifiedTime(other, aDayAgo);
        try (OutputFile file = OutputFile.create(path)) {
            write(file, "new");
            file.commit();
        }
        assertEquals(Set.of(path, young, other), Set.copyOf(files()));
    }

    @Test
    void shouldWriteThroughALink() throws IOException {
        Path path = Files.writeString(directory.resolve("out"), "old");
        Path link = Files.createSymbolicLink(directory.resolve("link"), path);
        try (OutputFile file = OutputFile.create(link)) {
            write(file, "new");
            file.commit();
        }
        assertEquals("new", Files.readString(path));
        assertTrue(Files.isSymbolicLink(link));
    }

    @Test
    void shouldRefuseADirectoryAndWhatLiesNowhere() {
        IOException e = assertThrows(IOException.class, () -> OutputFile.create(directory));
        assertEquals("is a directory: " + directory, e.getMessage());
        Path nowhere = directory.resolve("no/out");
        assertThrows(NoSuchFileException.class, () -> OutputFile.create(nowhere));
    }
}
