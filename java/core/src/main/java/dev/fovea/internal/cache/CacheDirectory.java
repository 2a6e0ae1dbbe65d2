package dev.fovea.internal.cache;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The user's cache: what Fovea unpacks once and maps afterwards.
 *
 * <p>Its root is the system property {@code fovea.cache}, else the environment's {@code FOVEA_CACHE},
 * else the platform's place for caches: {@code $XDG_CACHE_HOME/fovea} or {@code ~/.cache/fovea},
 * {@code ~/Library/Caches/fovea} on macOS, {@code %LOCALAPPDATA%\fovea} on Windows. Directories in it
 * are made for the user alone. Any number of processes may use it at once.
 */
public final class CacheDirectory {
    /** The system property that names the root. */
    public static final String PROPERTY = "fovea.cache";

    private static final String PARTIAL = ".partial-";
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final Path root;

    private CacheDirectory(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    /** Fills a new, empty directory. */
    @FunctionalInterface
    public interface Writer {
        /** Writes everything into {@code directory}. Nothing of it is kept if this throws. */
        void write(Path directory) throws IOException;
    }

    /** The cache of the user who runs this process. Nothing is created yet. */
    public static CacheDirectory user() {
        String named = firstNonBlank(System.getProperty(PROPERTY), System.getenv("FOVEA_CACHE"));
        return new CacheDirectory(named != null ? Path.of(named) : platformDefault());
    }

    /** The cache with this root. */
    public static CacheDirectory at(Path root) {
        return new CacheDirectory(root);
    }

    /** The absolute path of the root, which may not exist yet. */
    public Path root() {
        return root;
    }

    /**
     * The directory {@code relativeDir}; if it is absent or not {@linkplain #isWhole whole}, {@code writer}
     * fills it first. Other processes see it whole or not at all; a damaged one is repaired file by file,
     * each replaced by a rename, so that who has the old one mapped keeps it. Where several fill it at
     * once, one wins and the others drop theirs; what they write must be the same.
     *
     * @return its absolute path
     * @throws IOException if the cache cannot be written, naming the directory and {@code fovea.cache};
     *     and whatever {@code writer} throws
     */
    public Path publish(String relativeDir, Writer writer) throws IOException {
        Path target = resolve(relativeDir);
        if (FileIndex.matches(target)) {
            return target;
        }
        Path parent = target.getParent();
        Path partial;
        try {
            createPrivate(parent);
            deleteAbandoned(parent);
            partial = Files.createTempDirectory(parent, PARTIAL);
        } catch (IOException e) {
            throw unwritable(parent, e);
        }
        try {
            writer.write(partial);
            FileIndex.write(partial);
            forceToDisk(partial);
            moveIntoPlace(partial, target);
        } finally {
            deleteRecursively(partial);
        }
        return target;
    }

    /**
     * Whether the directory {@code relativeDir} was published and still has each of its files, with its
     * size. What the bytes are is not looked at.
     */
    public boolean isWhole(String relativeDir) throws IOException {
        return FileIndex.matches(resolve(relativeDir));
    }

    /** Makes the next {@link #publish} of {@code relativeDir} fill it again. What has it open is not disturbed. */
    public void invalidate(String relativeDir) throws IOException {
        Files.deleteIfExists(resolve(relativeDir).resolve(FileIndex.NAME));
    }

    /**
     * The directory {@code relativeDir}, made if absent, which none but its owner can write.
     *
     * @return its absolute path
     * @throws IOException if it cannot be made, or if it or a directory between it and the root belongs
     *     to another user or is writable by others; the message names the directory and {@code fovea.cache}
     */
    public Path privateDirectory(String relativeDir) throws IOException {
        Path directory = resolve(relativeDir);
        try {
            createPrivate(directory);
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
        for (Path level = directory; !level.equals(root); level = level.getParent()) {
            requirePrivate(level);
        }
        return directory;
    }

    private Path resolve(String relativeDir) {
        Path target = root.resolve(relativeDir).normalize();
        if (!target.startsWith(root) || target.equals(root)) {
            throw new IllegalArgumentException("expected a directory below " + root + ", got " + relativeDir);
        }
        return target;
    }

    private static void createPrivate(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        boolean posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] ownerOnly = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                }
                : new FileAttribute<?>[0];
        Files.createDirectories(directory, ownerOnly);
    }

    private static void requirePrivate(Path directory) throws IOException {
        var view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
        if (view == null) {
            return;
        }
        var attributes = view.readAttributes();
        String owner = attributes.owner().getName();
        if (!owner.equals(System.getProperty("user.name")) && !owner.equals("root")) {
            // Both names come from the same lookup, which gives the number where a user has no name.
            String user = ProcessHandle.current().info().user().orElse(owner);
            if (!owner.equals(user)) {
                throw new IOException("cache directory " + directory + " belongs to " + owner + ", not to " + user
                        + "; name another with -D" + PROPERTY + "=DIR");
            }
        }
        var permissions = attributes.permissions();
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("cache directory " + directory + " is writable by others ("
                    + PosixFilePermissions.toString(permissions) + "); take that away or name another with -D"
                    + PROPERTY + "=DIR");
        }
    }

    private static void moveIntoPlace(Path partial, Path target) throws IOException {
        try {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(target)) {
                throw unwritable(target, e);
            }
            if (!FileIndex.matches(target)) {
                replaceFiles(partial, target);
            }
        }
    }

    /** Moves the files of {@code partial} over those of {@code target}: the index last, as the rest is true by then. */
    private static void replaceFiles(Path partial, Path target) throws IOException {
        List<Path> files = new ArrayList<>(FileIndex.files(partial));
        files.add(partial.resolve(FileIndex.NAME));
        for (Path file : files) {
            Path replaced = target.resolve(partial.relativize(file));
            try {
                createPrivate(replaced.getParent());
                Files.move(file, replaced, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException e) {
                throw new IOException("cannot replace the damaged " + replaced + " (" + e + "); delete " + target
                        + ", or name another cache with -D" + PROPERTY + "=DIR", e);
            }
        }
    }

    /** So that a power cut cannot leave a published directory with empty files. */
    private static void forceToDisk(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
            }
        }
    }

    /** Removes what processes that died while they published have left. */
    private static void deleteAbandoned(Path parent) throws IOException {
        Instant limit = Instant.now().minus(ABANDONED);
        try (var partials = Files.newDirectoryStream(parent, PARTIAL + "*")) {
            for (Path partial : partials) {
                if (Files.getLastModifiedTime(partial).toInstant().isBefore(limit)) {
                    deleteRecursively(partial);
                }
            }
        }
    }

    private static void deleteRecursively(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static IOException unwritable(Path directory, IOException cause) {
        return new IOException("cannot write cache directory " + directory + " (" + cause
                + "); name another with -D" + PROPERTY + "=DIR", cause);
    }

    private static Path platformDefault() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String home = System.getProperty("user.home");
        if (home == null || home.isBlank() || home.equals("?")) {
            return Path.of(System.getProperty("java.io.tmpdir"), "fovea");
        }
        if (os.contains("win")) {
            String local = firstNonBlank(System.getenv("LOCALAPPDATA"), home + File.separator + "AppData\\Local");
            return Path.of(local, "fovea");
        }
        if (os.contains("mac")) {
            return Path.of(home, "Library", "Caches", "fovea");
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return xdg != null && xdg.startsWith("/") ? Path.of(xdg, "fovea") : Path.of(home, ".cache", "fovea");
    }

    private static String firstNonBlank(String first, String second) {
        if (first != null && !first.isBlank()) {
            return first;
        }
        return second == null || second.isBlank() ? null : second;
    }
}
