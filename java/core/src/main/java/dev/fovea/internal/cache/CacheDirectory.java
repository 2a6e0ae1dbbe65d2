package dev.fovea.internal.cache;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The user's cache: what Fovea unpacks once and maps afterwards.
 *
 * <p>Its root is the system property {@code fovea.cache}, else the environment's {@code FOVEA_CACHE},
 * else the platform's place for caches: {@code $XDG_CACHE_HOME/fovea} or {@code ~/.cache/fovea},
 * {@code ~/Library/Caches/fovea} on macOS, {@code %LOCALAPPDATA%\fovea} on Windows; of a user without a home,
 * {@code fovea-<user>} among the temporary files. Any number of processes may use it at once.
 *
 * <p>Everyone may read what is in it, so that a cache that root has filled serves all users; only the user who owns it
 * may write. What belongs to someone else is not used, and what others could write is compared first. Whoever may write
 * the root itself is trusted, unless it is that of a user without a home.
 */
public final class CacheDirectory {
    /** The system property that names the root. */
    public static final String PROPERTY = "fovea.cache";

    private final Path root;
    private final InstantSource clock;
    /** Whether the root lies where anyone can make directories. */
    private final boolean inPublic;

    private CacheDirectory(Path root, InstantSource clock, boolean inPublic) {
        this.root = root.toAbsolutePath().normalize();
        this.clock = clock;
        this.inPublic = inPublic;
    }

    /** What a directory is to hold. */
    @FunctionalInterface
    public interface Content {
        /** Writes everything into {@code directory}, which is empty. Nothing of it is kept if this throws. */
        void write(Path directory) throws IOException;

        /**
         * Whether {@code directory}, which has each file with its size, is known to have the right bytes. Asked if others
         * could write it; if not, it is filled again.
         */
        default boolean isIn(Path directory) throws IOException {
            return false;
        }
    }

    /**
     * A directory which none but its owner can write.
     *
     * @param path the absolute path
     * @param wasOpen whether others could write it until now
     */
    public record Private(Path path, boolean wasOpen) {}

    /** The cache of the user who runs this process. Nothing is created yet. */
    public static CacheDirectory user() {
        String named = firstNonBlank(System.getProperty(PROPERTY), System.getenv("FOVEA_CACHE"));
        if (named != null) {
            return at(Path.of(named));
        }
        Path place = platformDefault();
        return place != null ? at(place) : homeless(Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** The cache with this root. */
    public static CacheDirectory at(Path root) {
        return at(root, InstantSource.system());
    }

    /** The cache with this root, at a time of the caller's. */
    static CacheDirectory at(Path root, InstantSource clock) {
        return new CacheDirectory(root, clock, false);
    }

    /** The cache of a user without a home, in a directory where anyone may make one of that name before. */
    static CacheDirectory homeless(Path temporary) {
        try {
            String user = Ownership.user().replaceAll("[^A-Za-z0-9._-]", "_");
            return new CacheDirectory(temporary.resolve("fovea-" + user), InstantSource.system(), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The absolute path of the root, which may not exist yet. */
    public Path root() {
        return root;
    }

    /**
     * The directory {@code relativeDir}; if it is absent or not {@linkplain #isWhole whole}, {@code content}
     * fills it first. Other processes see it whole or not at all; a damaged one is repaired file by file,
     * each replaced by a rename, so that who has the old one mapped keeps it. Where several fill it at
     * once, one wins and the others drop theirs; what they write must be the same.
     *
     * @return its absolute path
     * @throws IOException if the cache cannot be written or belongs to someone else, naming the directory and
     *     {@code fovea.cache}; and whatever {@code content} throws
     */
    public Path publish(String relativeDir, Content content) throws IOException {
        Path target = resolve(relativeDir);
        Path parent = target.getParent();
        requireOwnRoot();
        Partials.deleteAbandoned(parent, clock.instant());
        if (Files.isDirectory(target)) {
            boolean wasOpen = takeLevels(target) | Ownership.takeContent(target);
            if (FileIndex.matches(target) && (!wasOpen || content.isIn(target))) {
                return target;
            }
            if (wasOpen) {
                invalidate(relativeDir);
            }
        }
        Path partial = newPartialDirectory(parent);
        try {
            content.write(partial);
            finish(partial, target);
        } finally {
            Partials.delete(partial);
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
     * The directory {@code relativeDir}, made if absent, for what the process trusts with its life: none but its owner can
     * write it or move it away.
     *
     * @throws IOException if it cannot be made, if it or a directory between it and the root belongs to another user or
     *     stays writable by others, or if others can write the root; the message names the directory and
     *     {@code fovea.cache}
     */
    public Private privateDirectory(String relativeDir) throws IOException {
        Path directory = resolve(relativeDir);
        requireOwnRoot();
        try {
            create(directory);
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
        Ownership.requireStable(root);
        boolean wasOpen = takeLevels(directory) | Ownership.takeContent(directory);
        Partials.deleteAbandoned(directory.getParent(), clock.instant());
        return new Private(directory, wasOpen);
    }

    /** In public, someone else may have made the root, or have made it lead elsewhere: nothing is made in it then. */
    private void requireOwnRoot() throws IOException {
        if (inPublic && Files.isSymbolicLink(root)) {
            throw new IOException("the cache " + root + " is a link; name another cache with -D" + PROPERTY + "=DIR");
        }
        if (inPublic && Files.exists(root)) {
            Ownership.take(root);
        }
    }

    /** Takes the permission to write directories up to the root from others; returns whether they could. */
    private boolean takeLevels(Path directory) throws IOException {
        boolean wasOpen = inPublic && Ownership.take(root);
        for (Path level = directory; !level.equals(root); level = level.getParent()) {
            wasOpen |= Ownership.take(level);
        }
        return wasOpen;
    }

    private Path newPartialDirectory(Path parent) throws IOException {
        try {
            create(parent);
        } catch (IOException e) {
            throw unwritable(parent, e);
        }
        takeLevels(parent);
        try {
            return Partials.newDirectory(parent);
        } catch (IOException e) {
            throw unwritable(parent, e);
        }
    }

    private static void finish(Path partial, Path target) throws IOException {
        write(partial.resolve(FileIndex.NAME), new ByteArrayInputStream(FileIndex.of(partial).getBytes(UTF_8)));
        try {
            forceToDisk(partial);
        } catch (IOException e) {
            throw unwritable(target, e);
        }
        moveIntoPlace(partial, target);
    }

    /** A new, empty file in a directory of the cache, to be moved to its place: see {@link Partials}. */
    public static Path newPartialFile(Path directory) throws IOException {
        return Partials.newFile(directory);
    }

    /**
     * A new, empty directory for this process alone. Those with this prefix that processes which died have left are
     * removed when they are a day old.
     */
    public static Path newTemporaryDirectory(Path parent, String prefix) throws IOException {
        Partials.deleteAbandoned(parent, prefix, Instant.now());
        return Files.createTempDirectory(parent, prefix);
    }

    /** Copies {@code content} to a new file of the cache; a failure to write names the file and {@code fovea.cache}. */
    public static void write(Path file, InputStream content) throws IOException {
        byte[] buffer = new byte[1 << 16];
        OutputStream out;
        try {
            create(file.getParent());
            out = Files.newOutputStream(Files.createFile(file, writableByOwner(file, "rw-r--r--")));
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        try (out) {
            for (int bytes = content.read(buffer); bytes >= 0; bytes = content.read(buffer)) {
                try {
                    out.write(buffer, 0, bytes);
                } catch (IOException e) {
                    throw unwritable(file, e);
                }
            }
        }
    }

    private Path resolve(String relativeDir) {
        Path target = root.resolve(relativeDir).normalize();
        if (!target.startsWith(root) || target.equals(root)) {
            throw new IllegalArgumentException("expected a directory below " + root + ", got " + relativeDir);
        }
        return target;
    }

    private static void create(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Files.createDirectories(directory, writableByOwner(directory, "rwxr-xr-x"));
    }

    /** Of what is made for everyone to read, where there are permissions. */
    private static FileAttribute<?>[] writableByOwner(Path path, String permissions) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))}
                : new FileAttribute<?>[0];
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
                create(replaced.getParent());
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

    /** A failure to write {@code path} of the cache, with the option that helps. */
    public static IOException unwritable(Path path, IOException cause) {
        return new IOException("cannot write " + path + " (" + reason(cause) + "); name another cache with -D" + PROPERTY
                + "=DIR", cause);
    }

    private static String reason(IOException cause) {
        return switch (cause) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException e -> e.getFile() + " cannot be made";
            case FileAlreadyExistsException e -> e.getFile() + " is in the way";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case FileSystemException e -> e.toString();
            default -> cause.getMessage() == null ? cause.toString() : cause.getMessage();
        };
    }

    /** Null for a user without a home. */
    private static Path platformDefault() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String home = System.getProperty("user.home");
        if (home == null || home.isBlank() || home.equals("?")) {
            return null;
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
