package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * Tokens with their keys and values in a file, all little-endian. Each digest is the SHA-256 of the one before it and of what
 * stands between them, so a page is used only if all before it is as it was written.
 *
 * <pre>
 *   | "FOVEA KV" | version 1, I32 | tokens n, I32 | bytes of a page, I64 | fingerprint of the model, 32 bytes |
 *   | token ids, I32 [n] | digest, 32 bytes |
 *   | page 0: keys and values of 128 tokens, layer by layer | digest | page 1 | digest | ...
 * </pre>
 */
public final class CacheFile {
    private static final byte[] MAGIC = {'F', 'O', 'V', 'E', 'A', ' ', 'K', 'V'};
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 24 + 32;
    private static final int DIGEST_BYTES = 32;
    private static final int PAGE = CacheSet.PAGE_TOKENS;

    /** Where pages come from. */
    @FunctionalInterface
    public interface Source {
        /** Fills {@code target} with a page of the tokens. */
        void read(int page, MemorySegment target) throws IOException;
    }

    /** Where pages go to. */
    @FunctionalInterface
    public interface Target {
        /** Takes a page of the tokens; false if it takes no more. */
        boolean add(int[] tokens, int page, MemorySegment source);
    }

    /**
     * What a file must be.
     *
     * @param fingerprint of the model, 32 bytes
     * @param pageBytes of its keys and values
     * @param context its longest sequence
     * @param vocabulary ids are below it
     */
    public record Model(byte[] fingerprint, long pageBytes, int context, int vocabulary) {}

    private final Path path;
    private final Model model;
    private final FileChannel file;
    private final MessageDigest sha;

    private CacheFile(Path path, Model model, FileChannel file) {
        this.path = path;
        this.model = model;
        this.file = file;
        try {
            this.sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** Writes a file beside the one of this name, and puts it in its place when it is whole. */
    public static void write(Path path, Model model, int[] tokens, Source source) throws IOException {
        Path target = path.toAbsolutePath().normalize();
        if (Files.isDirectory(target)) {
            throw new FileSystemException(path.toString(), null, "is a directory");
        }
        if (!Files.isDirectory(target.getParent())) {
            throw new NoSuchFileException(target.getParent().toString());
        }
        Path made = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try {
            try (FileChannel file = FileChannel.open(made, StandardOpenOption.WRITE)) {
                new CacheFile(path, model, file).write(tokens, source);
            }
            Files.move(made, target, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(made);
        }
    }

    private void write(int[] tokens, Source source) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEADER_BYTES + tokens.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC).putInt(VERSION).putInt(tokens.length).putLong(model.pageBytes).put(model.fingerprint);
        head.asIntBuffer().put(tokens);
        head.rewind();
        byte[] digest = digest(new byte[0], head);
        writeAll(head.rewind());
        writeAll(ByteBuffer.wrap(digest));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(model.pageBytes, Long.BYTES);
            for (int i = 0; i < pages(tokens.length); i++) {
                source.read(i, page);
                digest = digest(digest, page.asByteBuffer());
                writeAll(page.asByteBuffer());
                writeAll(ByteBuffer.wrap(digest));
            }
        }
    }

    /**
     * Reads the tokens of a file, and their pages for as long as they are taken.
     *
     * @throws FormatException if the file is damaged, or of another model
     */
    public static int[] read(Path path, Model model, Target target) throws IOException {
        if (Files.isDirectory(path)) {
            throw new FileSystemException(path.toString(), null, "is a directory");
        }
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            return new CacheFile(path, model, file).read(target);
        }
    }

    private int[] read(Target target) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        readAll(head, "header");
        byte[] magic = new byte[MAGIC.length];
        head.get(magic);
        require(Arrays.equals(magic, MAGIC), 0, "magic", "expected 'FOVEA KV', the beginning of a saved session");
        int version = head.getInt();
        require(version == VERSION, 8, "version", "expected " + VERSION + ", got " + version);
        int count = head.getInt();
        // The last token of an answer that fills the context is not read any more.
        require(count >= 1 && count <= model.context + 1, 12, "tokens", "expected 1 to " + (model.context + 1) + ", one more than "
                + "the context of the model, got " + count);
        long pageBytes = head.getLong();
        require(pageBytes == model.pageBytes, 16, "page_bytes", "expected " + model.pageBytes + ", which a page of the model"
                + " has, got " + pageBytes);
        byte[] fingerprint = new byte[model.fingerprint.length];
        head.get(fingerprint);
        require(Arrays.equals(fingerprint, model.fingerprint), 24, "fingerprint", "it was saved with another model, or with"
                + " other weights, types or positions of this one");
        int pages = pages(count);
        long bytes = HEADER_BYTES + (long) count * Integer.BYTES + DIGEST_BYTES + (long) pages * (pageBytes + DIGEST_BYTES);
        require(file.size() == bytes, -1, "size", "expected " + bytes + " bytes, got " + file.size());
        ByteBuffer ids = ByteBuffer.allocate(count * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        readAll(ids, "token ids");
        int[] tokens = new int[count];
        ids.asIntBuffer().get(tokens);
        for (int i = 0; i < count; i++) {
            require(tokens[i] >= 0 && tokens[i] < model.vocabulary, HEADER_BYTES + i * 4L, "token ids",
                    "expected ids below the vocabulary " + model.vocabulary + ", got " + tokens[i]);
        }
        sha.update(head.rewind());
        byte[] digest = checked(sha.digest(ids.array()), HEADER_BYTES, "token ids");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(pageBytes, Long.BYTES);
            boolean wanted = true;
            for (int i = 0; i < pages && wanted; i++) {
                long at = file.position();
                readAll(page.asByteBuffer(), "page " + i);
                digest = checked(digest(digest, page.asByteBuffer()), at, "page " + i);
                try {
                    wanted = target.add(tokens, i, page);
                } catch (IllegalArgumentException e) {
                    throw new FormatException(path, at, "page " + i, e.getMessage(), e);
                }
            }
        }
        return tokens;
    }

    private int pages(int tokens) {
        return Math.ceilDiv(Math.min(tokens, model.context), PAGE);
    }

    private byte[] digest(byte[] before, ByteBuffer bytes) {
        sha.update(before);
        sha.update(bytes);
        return sha.digest();
    }

    private byte[] checked(byte[] digest, long offset, String field) throws IOException {
        ByteBuffer stored = ByteBuffer.allocate(DIGEST_BYTES);
        readAll(stored, "digest of " + field);
        require(MessageDigest.isEqual(digest, stored.array()), offset, field, "it is damaged: its digest is another");
        return digest;
    }

    /** Fills a buffer and turns it round. */
    private void readAll(ByteBuffer target, String field) throws IOException {
        long at = file.position();
        while (target.hasRemaining()) {
            require(file.read(target) >= 0, at, field, "the file ends after " + file.size() + " bytes");
        }
        target.flip();
    }

    private void writeAll(ByteBuffer source) throws IOException {
        while (source.hasRemaining()) {
            file.write(source);
        }
    }

    private void require(boolean right, long offset, String field, String problem) throws FormatException {
        if (!right) {
            throw new FormatException(path, offset, field, problem);
        }
    }
}
