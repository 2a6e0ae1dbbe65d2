package dev.fovea.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.sql.SparkSession;

/** Brings models to where they are needed. */
public final class SparkModels {
    /** Begins references to models that came with {@link #ship}. */
    static final String SHIPPED = "shipped:";

    private SparkModels() {}

    /**
     * Ships a model's directory to each node of the cluster, once, when an executor there first needs it. The cluster keeps
     * it as long as the application runs.
     *
     * @param directory on the driver's machine
     * @return what {@code setModel} takes
     * @throws NotDirectoryException if it is none
     * @throws IOException if it cannot be read, or packed into the system's temporary directory
     */
    public static String ship(SparkSession spark, Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new NotDirectoryException("expected the directory of a model, got " + directory);
        }
        String name = directory.toAbsolutePath().normalize().getFileName().toString();
        Path folder = Files.createTempDirectory("fovea-model");
        Path archive = folder.resolve(name + ".zip");
        archive.toFile().deleteOnExit();
        pack(directory, archive);
        spark.sparkContext().addArchive(archive.toUri() + "#" + name);
        return SHIPPED + name;
    }

    // Stored, not deflated: weights do not get smaller.
    private static void pack(Path directory, Path archive) throws IOException {
        try (OutputStream file = Files.newOutputStream(archive); var zip = new ZipOutputStream(file);
                Stream<Path> all = Files.walk(directory)) {
            zip.setLevel(0);
            List<Path> files = all.filter(Files::isRegularFile).sorted().toList();
            for (Path each : files) {
                zip.putNextEntry(new ZipEntry(directory.relativize(each).toString().replace('\\', '/')));
                Files.copy(each, zip);
                zip.closeEntry();
            }
        }
    }
}
