package dev.fovea.internal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CacheDirectoryTest {
    @TempDir
    private Path temporary;

    @Test
    void shouldTakeItsRootFromTheProperty() {
        String before = System.getProperty(CacheDirectory.PROPERTY);
        System.setProperty(CacheDirectory.PROPERTY, temporary.toString());
        try {
            assertEquals(temporary.toAbsolutePath(), CacheDirectory.user().root());
        } finally {
            if (before == null) {
                System.clearProperty(CacheDirectory.PROPERTY);
            } else {
                System.setProperty(CacheDirectory.PROPERTY, before);
            }
        }
    }

    @Test
    void shouldFillADirectoryOnce() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary.resolve("new"));
        Path published = cache.publish("a/b", directory -> Files.writeString(directory.resolve("file"), "first"));
        cache.publish("a/b", directory -> Files.writeString(directory.resolve("file"), "second"));
        assertEquals(cache.root().resolve("a/b"), published);
        assertEquals("first", Files.readString(published.resolve("file")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cut", "gone", "no index", "index cut", "index zeroed"})
    void shouldRepairADirectoryThatIsDamaged(String damage) throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        Path published = cache.publish("a/b", CacheDirectoryTest::writeTwo);
        assertTrue(cache.isWhole("a/b"));
        Path index = published.resolve(FileIndex.NAME);
        switch (damage) {
            case "cut" -> Files.writeString(published.resolve("one"), "fir");
            case "gone" -> Files.delete(published.resolve("sub/two"));
            case "no index" -> Files.delete(index);
            case "index cut" -> Files.write(index, Files.readAllLines(index).subList(0, 2));
            default -> Files.write(index, new byte[20]);
        }
        assertFalse(cache.isWhole("a/b"));
        assertEquals(published, cache.publish("a/b", CacheDirectoryTest::writeTwo));
        assertTrue(cache.isWhole("a/b"));
        assertEquals("first", Files.readString(published.resolve("one")));
        assertEquals("second", Files.readString(published.resolve("sub/two")));
        assertEquals(List.of("b"), entries(temporary.resolve("a")));
    }

    @Test
    void shouldFillAgainWhatIsInvalidAndLeaveTheOldFileToItsReaders() throws IOException {
        assumeTrue(posix());
        CacheDirectory cache = CacheDirectory.at(temporary);
        Path one = cache.publish("a", CacheDirectoryTest::writeTwo).resolve("one");
        Files.writeString(one, "wrong");
        assertTrue(cache.isWhole("a"));
        cache.invalidate("a");
        assertFalse(cache.isWhole("a"));
        try (var reader = Files.newInputStream(one)) {
            cache.publish("a", CacheDirectoryTest::writeTwo);
            assertEquals("first", Files.readString(one));
            assertEquals("wrong", new String(reader.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void shouldNameWhatCannotBeRepaired() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        Files.createDirectories(temporary.resolve("a/one/in the way"));
        IOException failure = assertThrows(IOException.class, () -> cache.publish("a", CacheDirectoryTest::writeTwo));
        assertTrue(failure.getMessage().contains(temporary.resolve("a/one").toString()), failure.getMessage());
        assertTrue(failure.getMessage().contains("delete " + temporary.resolve("a")), failure.getMessage());
    }

    @Test
    void shouldKeepNothingWhenTheWriterFails() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        IOException failure = assertThrows(IOException.class, () -> cache.publish("a/b", directory -> {
            Files.writeString(directory.resolve("file"), "half");
            throw new IOException("the disk is full");
        }));
        assertEquals("the disk is full", failure.getMessage());
        assertEquals(List.of(), entries(temporary.resolve("a")));
    }

    @Test
    void shouldLetOneWinWhenManyPublishAtOnce() throws Exception {
        CacheDirectory cache = CacheDirectory.at(temporary);
        CountDownLatch allWrite = new CountDownLatch(8);
        List<Callable<String>> writers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String mark = "writer " + i;
            writers.add(() -> {
                Path published = cache.publish("a/b", directory -> {
                    Files.writeString(directory.resolve("one"), mark);
                    allWrite.countDown();
                    awaitAll(allWrite);
                    Files.writeString(directory.resolve("two"), mark);
                });
                return Files.readString(published.resolve("one")) + Files.readString(published.resolve("two"));
            });
        }
        try (var threads = Executors.newFixedThreadPool(8)) {
            List<String> seen = new ArrayList<>();
            for (Future<String> result : threads.invokeAll(writers)) {
                seen.add(result.get());
            }
            assertEquals(1, seen.stream().distinct().count(), seen.toString());
        }
        assertEquals(List.of("b"), entries(temporary.resolve("a")));
    }

    @Test
    void shouldRemoveWhatADeadProcessLeftAfterADay() throws IOException {
        List<Path> left = new ArrayList<>();
        for (String place : List.of("models", "native", "native/other-version")) {
            Path directory = Files.createDirectories(temporary.resolve(place).resolve(".partial-directory"));
            left.add(Files.writeString(directory.resolve("file"), "half"));
            left.add(Files.writeString(temporary.resolve(place).resolve(".partial-file"), "half"));
        }
        Instant now = Instant.now();
        CacheDirectory young = CacheDirectory.at(temporary, InstantSource.fixed(now.plus(Duration.ofHours(23))));
        young.publish("models/a", CacheDirectoryTest::writeTwo);
        young.privateDirectory("native/this-version");
        left.forEach(file -> assertTrue(Files.exists(file), file.toString()));
        // By processes that need to write nothing.
        CacheDirectory old = CacheDirectory.at(temporary, InstantSource.fixed(now.plus(Duration.ofHours(25))));
        old.publish("models/a", CacheDirectoryTest::writeTwo);
        old.privateDirectory("native/this-version");
        left.forEach(file -> assertFalse(Files.exists(file), file.toString()));
        assertEquals(List.of("a"), entries(temporary.resolve("models")));
    }

    @Test
    void shouldNameDirectoryAndPropertyWhenItCannotBeWritten() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "not a directory");
        for (Path root : List.of(file, unwritable())) {
            IOException failure =
                    assertThrows(IOException.class, () -> CacheDirectory.at(root).publish("a", directory -> { }));
            assertTrue(failure.getMessage().contains(root.toString()), failure.getMessage());
            assertTrue(failure.getMessage().contains("-Dfovea.cache="), failure.getMessage());
        }
    }

    @Test
    void shouldRefuseADirectoryOutside() {
        CacheDirectory cache = CacheDirectory.at(temporary);
        for (String outside : List.of("..", "a/../../b", "", "/etc")) {
            assertThrows(IllegalArgumentException.class, () -> cache.publish(outside, directory -> { }), outside);
        }
    }

    private static void writeTwo(Path directory) throws IOException {
        Files.writeString(directory.resolve("one"), "first");
        Files.createDirectory(directory.resolve("sub"));
        Files.writeString(directory.resolve("sub/two"), "second");
    }

    private static void awaitAll(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> entries(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    /** A directory that even root cannot write, where there is one. */
    private Path unwritable() throws IOException {
        if (Files.isDirectory(Path.of("/proc/self"))) {
            return Path.of("/proc/fovea");
        }
        Path directory = Files.createDirectory(temporary.resolve("readonly"));
        assertTrue(directory.toFile().setWritable(false));
        return directory;
    }

    private boolean posix() {
        return temporary.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
