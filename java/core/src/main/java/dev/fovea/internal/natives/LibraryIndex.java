package dev.fovea.internal.natives;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;

/**
 * What one jar for a platform holds: {@code META-INF/fovea/<platform>/index}, a line that names the
 * version and the SHA-256 of the other lines, and then one line per file.
 *
 * <pre>
 * fovea 0.1.0 91ab…(SHA-256)
 * 5f0c…(SHA-256)  183264  libfovea.so
 * </pre>
 *
 * @param platform such as {@code linux-x86_64}, or {@code openblas-linux-x86_64} for another library
 * @param version Fovea's version
 * @param hash of the lines of all files, 64 hexadecimal digits
 * @param files the library and what it needs beside it
 */
record LibraryIndex(String platform, String version, String hash, List<Entry> files) {
    /**
     * One file.
     *
     * @param sha256 64 hexadecimal digits
     * @param size in bytes
     * @param name without a directory
     */
    record Entry(String sha256, long size, String name) {
        /** Whether {@code file} has exactly these bytes. */
        boolean matches(Path file) throws IOException {
            return hasSize(file) && digestOf(file).equals(sha256);
        }

        /**
         * Whether {@code file} is as it was when {@link #takeNote} was called, by a checksum: as good against damage,
         * and a tenth of the time in a JVM that has not used SHA-256 yet.
         */
        boolean isUnchanged(Path file) throws IOException {
            Path note = checksumFile(file);
            return hasSize(file) && Files.isRegularFile(note)
                    && new String(Files.readAllBytes(note), StandardCharsets.ISO_8859_1).equals(checksum(file));
        }

        /** Takes note of what {@code file} has, which {@linkplain #matches matches}, for {@link #isUnchanged}. */
        void takeNote(Path file) {
            try {
                Files.writeString(checksumFile(file), checksum(file));
            } catch (IOException e) {
                // A cache that cannot be written: the next process compares the SHA-256 again.
            }
        }

        private boolean hasSize(Path file) throws IOException {
            return Files.isRegularFile(file) && Files.size(file) == size;
        }

        private static Path checksumFile(Path file) {
            return file.resolveSibling(file.getFileName() + ".crc32");
        }

        private static String checksum(Path file) throws IOException {
            CRC32 crc = new CRC32();
            try (var out = new CheckedOutputStream(OutputStream.nullOutputStream(), crc)) {
                Files.copy(file, out);
            }
            return Long.toHexString(crc.getValue());
        }
    }

    /** The name of the index of {@code platform} on the class path. */
    static String resource(String platform) {
        return "META-INF/fovea/" + platform + "/index";
    }

    /** The index of {@code platform}, or null if the class path has none. */
    static LibraryIndex find(String platform) throws IOException {
        try (InputStream in = open(resource(platform))) {
            return in == null ? null : parse(platform, in.readAllBytes());
        }
    }

    static LibraryIndex parse(String platform, byte[] bytes) throws IOException {
        List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
        String[] heading = lines.isEmpty() ? new String[0] : lines.getFirst().split(" ");
        if (heading.length != 3 || !heading[0].equals("fovea")) {
            throw new IOException(resource(platform) + ": expected 'fovea VERSION SHA-256' in line 1");
        }
        List<Entry> files = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split("  ", 3);
            if (fields.length != 3) {
                throw new IOException(resource(platform) + ": expected 'SHA-256  size  name', got '" + line + "'");
            }
            files.add(new Entry(fields[0], Long.parseLong(fields[1]), fields[2]));
        }
        return new LibraryIndex(platform, heading[1], heading[2], List.copyOf(files));
    }

    /** Copies the bytes of {@code entry} out of the jar into {@code out}. */
    void copy(Entry entry, OutputStream out) throws IOException {
        String name = "META-INF/fovea/" + platform + "/" + entry.name();
        try (InputStream in = open(name)) {
            if (in == null) {
                throw new IOException("the class path has no " + name + ", which the index names");
            }
            in.transferTo(out);
        }
    }

    private static InputStream open(String resource) {
        return LibraryIndex.class.getClassLoader().getResourceAsStream(resource);
    }

    private static String digestOf(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        try (var out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            Files.copy(file, out);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
