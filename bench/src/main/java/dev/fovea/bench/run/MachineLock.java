package dev.fovea.bench.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps other benchmarks off this machine. It is JMH's own lock, held for a whole run, where JMH would take it anew for
 * each side and fail one job after the other.
 */
final class MachineLock implements AutoCloseable {
    /** JMH's switch for runs whose times do not matter; it reads it once. */
    private static final String IGNORE = "jmh.ignoreLock";

    private final FileChannel file;

    private MachineLock(FileChannel file) {
        this.file = file;
    }

    /**
     * Takes the lock.
     *
     * @throws IOException if another benchmark runs
     */
    static MachineLock take() throws IOException {
        if (Boolean.getBoolean(IGNORE)) {
            return new MachineLock(null);
        }
        Path path = Path.of(System.getProperty("java.io.tmpdir"), "jmh.lock");
        FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = file.tryLock();
        if (lock == null) {
            file.close();
            throw new IOException("another benchmark is running on this machine (it holds " + path
                    + "), and each would distort the other's times; try again when it has ended");
        }
        System.setProperty(IGNORE, "true");
        return new MachineLock(file);
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            System.clearProperty(IGNORE);
            file.close();
        }
    }
}
