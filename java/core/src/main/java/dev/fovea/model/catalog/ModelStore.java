package dev.fovea.model.catalog;

import dev.fovea.internal.cache.CacheDirectory;
import dev.fovea.internal.memory.MemoryFiles;
import dev.fovea.weights.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * A named model in the user's cache, as a directory in the Hugging Face layout: {@code models/<name>-<revision>}.
 *
 * @param name of the model, and of the folder of resources that holds its small files
 * @param revision stands for all that the model consists of
 * @param entries its large files
 */
public record ModelStore(String name, String revision, List<Entry> entries) {
    /**
     * A large file.
     *
     * @param entry what it is called where it comes from
     * @param file what it is called in the directory
     * @param sha256 of its content, in lower-case hex
     */
    public record Entry(String entry, String file, String sha256) {}

    /** What holds the large files: a jar, or the class path. */
    @FunctionalInterface
    public interface Source {
        /** A file's content; fails if there is no such file. */
        InputStream open(String entry) throws IOException;
    }

    /** The small files. They are resources of this class, one folder per model. */
    public static final List<String> CONFIGS =
            List.of("config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json");

    /**
     * Whether the cache has the model whole.
     *
     * @throws IOException if the cache cannot be read
     */
    public boolean isWhole() throws IOException {
        return CacheDirectory.user().isWhole(directory());
    }

    /**
     * The model's directory, filled from {@code source} if the cache does not have it whole.
     *
     * @param sourceName what errors call the source
     * @throws IOException if the cache cannot be written, the source fails, or an entry's SHA-256 is not the expected
     *     one
     */
    public Path publish(String sourceName, Source source) throws IOException {
        return CacheDirectory.user().publish(directory(), new CacheDirectory.Content() {
            @Override
            public void write(Path target) throws IOException {
                for (Entry entry : entries) {
                    copy(entry, sourceName, source, content -> CacheDirectory.write(target.resolve(entry.file()), content));
                }
                for (String config : CONFIGS) {
                    CacheDirectory.write(target.resolve(config), new ByteArrayInputStream(config(config)));
                }
            }

            @Override
            public boolean isIn(Path directory) throws IOException {
                return isIntact(directory);
            }
        });
    }

    /**
     * The model's directory in memory, for where the cache cannot be used: from {@code source} or, if that has it not,
     * from the cache, whoever that belongs to.
     *
     * @throws IOException if the source fails, or an entry's SHA-256 is not the expected one
     */
    public Path keep(String sourceName, Source source) throws IOException {
        MemoryFiles files = new MemoryFiles(name + '-' + revision);
        for (Entry entry : entries) {
            try {
                copy(entry, sourceName, source, content -> files.put(entry.file(), content));
            } catch (IOException e) {
                Path cached = CacheDirectory.user().root().resolve(directory()).resolve(entry.file());
                if (!Files.isReadable(cached)) {
                    throw e;
                }
                copy(entry, cached.toString(), _ -> Files.newInputStream(cached), content -> files.put(entry.file(), content));
            }
        }
        for (String config : CONFIGS) {
            files.put(config, new ByteArrayInputStream(config(config)));
        }
        return files.directory();
    }

    /**
     * Compares every byte in the cache with what it should be. If one is wrong, the model counts as absent from the
     * cache from now on, until it is published again.
     *
     * @return whether the cache had the model and it is damaged
     * @throws IOException if the cache cannot be read or written
     */
    public boolean discardDamaged() throws IOException {
        CacheDirectory cache = CacheDirectory.user();
        Path directory = cache.root().resolve(directory());
        if (!Files.exists(directory) || isWhole() && isIntact(directory)) {
            return false;
        }
        cache.invalidate(directory());
        return true;
    }

    /** Takes a file's content. */
    private interface Sink {
        void take(InputStream content) throws IOException;
    }

    private static void copy(Entry entry, String sourceName, Source source, Sink sink) throws IOException {
        MessageDigest digest = newSha256();
        try (InputStream in = source.open(entry.entry())) {
            sink.take(new DigestInputStream(in, digest));
        }
        String actual = HexFormat.of().formatHex(digest.digest());
        if (!actual.equals(entry.sha256())) {
            throw new FormatException(Path.of(entry.entry()), -1, "SHA-256",
                    "expected " + entry.sha256() + ", got " + actual + " from " + sourceName);
        }
    }

    private boolean isIntact(Path directory) throws IOException {
        for (String config : CONFIGS) {
            if (!Arrays.equals(config(config), Files.readAllBytes(directory.resolve(config)))) {
                return false;
            }
        }
        for (Entry entry : entries) {
            if (!sha256(directory.resolve(entry.file())).equals(entry.sha256())) {
                return false;
            }
        }
        return true;
    }

    private String directory() {
        return "models/" + name + '-' + revision;
    }

    /** A small file's content; nothing if there is none. */
    private byte[] config(String file) throws IOException {
        try (InputStream in = ModelStore.class.getResourceAsStream(name + '/' + file)) {
            return in == null ? new byte[0] : in.readAllBytes();
        }
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest = newSha256();
        Files.copy(file, new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
