package dev.fovea.internal.cache;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/** Who may write files of the cache: the user who runs this process and root, and no one else. */
final class Ownership {
    private static final Set<PosixFilePermission> OTHERS =
            EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    private static final int STICKY = 01000;
    private static final Path PROCESS = Path.of("/proc/self");

    private Ownership() {}

    /**
     * Takes the permission to write from others, where they have it and {@code path} is the user's, such as on a volume
     * that Kubernetes opens to a group.
     *
     * @return whether others could write
     * @throws IOException if {@code path} belongs to someone else, or others keep the permission; the message names it
     */
    static boolean take(Path path) throws IOException {
        var view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        if (view == null) {
            return false;
        }
        PosixFileAttributes attributes = view.readAttributes();
        requireOurs(path, attributes.owner().getName());
        if (!isOpen(attributes)) {
            return false;
        }
        Set<PosixFilePermission> narrowed = EnumSet.copyOf(attributes.permissions());
        narrowed.removeAll(OTHERS);
        try {
            Files.setPosixFilePermissions(path, narrowed);
        } catch (IOException e) {
            throw open(path, attributes, e);
        }
        PosixFileAttributes after = view.readAttributes();
        if (isOpen(after)) {
            // A file system without permissions of its own, such as one of Windows'.
            throw open(path, after, null);
        }
        return true;
    }

    /** {@link #take} of all that is in a directory; returns whether others could write any of it. */
    static boolean takeContent(Path directory) throws IOException {
        boolean wasOpen = false;
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                try {
                    wasOpen |= take(entry);
                    if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                        wasOpen |= takeContent(entry);
                    }
                } catch (NoSuchFileException e) {
                    // Another process has given it its name.
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return wasOpen;
    }

    /**
     * That no one else can move away what is in {@code directory}.
     *
     * @throws IOException if one can; the message names it
     */
    static void requireStable(Path directory) throws IOException {
        var view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
        if (view == null) {
            return;
        }
        PosixFileAttributes attributes = view.readAttributes();
        if (isOpen(attributes) && ((int) Files.getAttribute(directory, "unix:mode") & STICKY) == 0) {
            throw open(directory, attributes, null);
        }
    }

    private static boolean isOpen(PosixFileAttributes attributes) {
        return attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)
                || attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE);
    }

    /** Whether {@code path} belongs to the user or to root. */
    static boolean isOurs(Path path) throws IOException {
        var view = Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        return view == null || isOurs(path, view.readAttributes().owner().getName());
    }

    private static boolean isOurs(Path path, String owner) throws IOException {
        return owner.equals("root") || owner.equals(System.getProperty("user.name")) || hasOurNumber(path);
    }

    private static void requireOurs(Path path, String owner) throws IOException {
        if (isOurs(path, owner)) {
            return;
        }
        throw new IOException("in the cache, " + path + " belongs to " + owner + ", not to " + user()
                + "; name another cache with -D" + CacheDirectory.PROPERTY + "=DIR");
    }

    /** Whether {@code path} belongs to the number of this process's user, who need not have a name in a container. */
    private static boolean hasOurNumber(Path path) throws IOException {
        return Files.isDirectory(PROCESS) && number(path) == number(PROCESS);
    }

    private static int number(Path path) throws IOException {
        return (int) Files.getAttribute(path, "unix:uid");
    }

    /** The user's name or, without one, number. */
    static String user() throws IOException {
        var named = ProcessHandle.current().info().user();
        return named.isPresent() ? named.get() : Files.isDirectory(PROCESS) ? Integer.toString(number(PROCESS)) : "unknown";
    }

    private static IOException open(Path path, PosixFileAttributes attributes, IOException cause) {
        return new IOException("in the cache, " + path + " is writable by others ("
                + PosixFilePermissions.toString(attributes.permissions()) + "); take that away or name another cache with -D"
                + CacheDirectory.PROPERTY + "=DIR", cause);
    }
}
