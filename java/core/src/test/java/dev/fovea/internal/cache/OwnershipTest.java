package dev.fovea.internal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may write the cache. */
class OwnershipTest {
    private static final int SOMEONE_ELSE = 12345;

    @TempDir
    private Path temporary;

    @BeforeEach
    void requirePermissions() {
        assumeTrue(temporary.getFileSystem().supportedFileAttributeViews().contains("posix"), "no permissions here");
    }

    @Test
    void shouldLetEveryoneReadAndOnlyTheOwnerWrite() throws IOException {
        Path directory = CacheDirectory.at(temporary).privateDirectory("native/1").path();
        assertEquals("rwxr-xr-x", permissions(directory));
        assertEquals("rwxr-xr-x", permissions(directory.getParent()));
        assertEquals("rw-r--r--", permissions(CacheDirectory.newPartialFile(directory)));
        Path published = CacheDirectory.at(temporary).publish("models/a", OwnershipTest::write);
        assertEquals("rwxr-xr-x", permissions(published));
    }

    @Test
    void shouldTakeThePermissionToWriteFromOthersAndSaySo() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        Path directory = cache.privateDirectory("native/1").path();
        Path file = Files.writeString(directory.resolve("library"), "code");
        assertFalse(cache.privateDirectory("native/1").wasOpen());
        for (Path opened : new Path[] {directory.getParent(), directory, file}) {
            // As Kubernetes does when it mounts a volume of a group.
            allow(opened, "rwxrwxr-x");
            assertTrue(cache.privateDirectory("native/1").wasOpen(), opened.toString());
            assertEquals("rwxr-xr-x", permissions(opened));
            assertFalse(cache.privateDirectory("native/1").wasOpen());
        }
    }

    @Test
    void shouldCompareAPublishedDirectoryThatOthersCouldWrite() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        AtomicInteger written = new AtomicInteger();
        var content = new CacheDirectory.Content() {
            @Override
            public void write(Path directory) throws IOException {
                written.incrementAndGet();
                OwnershipTest.write(directory);
            }

            @Override
            public boolean isIn(Path directory) throws IOException {
                return Files.readString(directory.resolve("sub/file")).equals("right");
            }
        };
        Path file = cache.publish("models/a", content).resolve("sub/file");
        allow(file, "rw-rw-rw-");
        cache.publish("models/a", content);
        assertEquals(1, written.get());
        assertEquals("rw-r--r--", permissions(file));
        allow(file, "rw-rw-rw-");
        Files.writeString(file, "wrong");
        cache.publish("models/a", content);
        assertEquals(2, written.get());
        assertEquals("right", Files.readString(file));
    }

    @Test
    void shouldRefuseWhatBelongsToSomeoneElse() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        Path directory = cache.privateDirectory("native/1").path();
        Path model = cache.publish("models/a", OwnershipTest::write);
        giveAway(directory.getParent());
        giveAway(model.resolve("sub"));
        String refusal = assertThrows(IOException.class, () -> cache.privateDirectory("native/1")).getMessage();
        assertTrue(refusal.contains(directory.getParent() + " belongs to ") && refusal.contains("-Dfovea.cache=DIR"), refusal);
        refusal = assertThrows(IOException.class, () -> cache.publish("models/a", OwnershipTest::write)).getMessage();
        assertTrue(refusal.contains(model.resolve("sub") + " belongs to "), refusal);
    }

    @Test
    void shouldRefuseARootInWhichOthersCanMoveDirectories() throws IOException {
        CacheDirectory cache = CacheDirectory.at(temporary);
        cache.privateDirectory("native/1");
        allow(temporary, "rwxrwxrwx");
        String refusal = assertThrows(IOException.class, () -> cache.privateDirectory("native/1")).getMessage();
        assertTrue(refusal.contains(temporary + " is writable by others (rwxrwxrwx)"), refusal);
        // What is sticky, such as /tmp, does not let them.
        Files.setAttribute(temporary, "unix:mode", 01777);
        cache.privateDirectory("native/1");
    }

    @Test
    void shouldNotTrustWhatSomeoneElsePreparedForAUserWithoutAHome() throws IOException {
        CacheDirectory cache = CacheDirectory.homeless(temporary);
        assertEquals(temporary.resolve("fovea-" + Ownership.user()), cache.root());
        Path model = cache.publish("models/a", OwnershipTest::write);
        assertEquals(model, cache.publish("models/a", OwnershipTest::write));
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        Path parent = Files.createDirectory(temporary.resolve("public"));
        CacheDirectory linked = CacheDirectory.homeless(parent);
        Files.createSymbolicLink(linked.root(), elsewhere);
        assertThrows(IOException.class, () -> linked.publish("models/a", OwnershipTest::write));
        assertThrows(IOException.class, () -> linked.privateDirectory("native/1"));
        assertEquals(0, Files.list(elsewhere).count());
        giveAway(cache.root());
        String refusal =
                assertThrows(IOException.class, () -> cache.publish("models/a", OwnershipTest::write)).getMessage();
        assertTrue(refusal.contains(cache.root() + " belongs to "), refusal);
    }

    private static void write(Path directory) throws IOException {
        Files.createDirectory(directory.resolve("sub"));
        Files.writeString(directory.resolve("sub/file"), "right");
    }

    private static void giveAway(Path path) throws IOException {
        assumeTrue(Ownership.user().equals("root"), "only root can give a file away");
        Files.setAttribute(path, "unix:uid", SOMEONE_ELSE);
    }

    private static void allow(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
