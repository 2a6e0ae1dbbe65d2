package dev.fovea.weights;

import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Weight;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * Writes a GGUF file, version 3, as the specification in ggml's {@code docs/gguf.md} has it. What is put in is remembered;
 * {@link #write} reads the tensors, row by row, so that no tensor is in memory as a whole. For one thread.
 *
 * <pre>{@code
 * new GgufWriter().put("general.architecture", "llama").put("llama.block_count", 1)
 *         .tensor("token_embd.weight", Layout.F16, weights.weight("model.embed_tokens.weight"))
 *         .write(Path.of("model.gguf"), _ -> { });
 * }</pre>
 */
public final class GgufWriter {
    /** What llama.cpp reads. */
    private static final int MAX_NAME = 63;
    private static final int ALIGNMENT = 32;
    private static final int VERSION = 3;
    /** Values that are read and rounded at once, where a row has more. */
    private static final int CHUNK = 1 << 16;

    /** Reads rows of a tensor. */
    @FunctionalInterface
    public interface Rows {
        /**
         * Reads values of a row.
         *
         * @param column of the first
         * @param target receives them from 0 on
         */
        void read(long row, long column, int count, float[] target);
    }

    private record Entry(Layout layout, long rows, long columns, boolean vector, Rows values) {
        long bytes() {
            return Math.multiplyExact(rows, columns / layout.blockValues() * layout.blockBytes());
        }
    }

    private final Map<String, byte[]> pairs = new LinkedHashMap<>();
    private final Map<String, Entry> tensors = new LinkedHashMap<>();

    /** A text. */
    public GgufWriter put(String key, String value) {
        return put(key, GgufMetadata.Type.STRING, out -> string(out, value));
    }

    /** A whole number that is not negative, as UINT32. */
    public GgufWriter put(String key, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(key + " must not be negative, got " + value);
        }
        return put(key, GgufMetadata.Type.UINT32, out -> out.writeInt(Integer.reverseBytes(value)));
    }

    /** A number, as FLOAT32. */
    public GgufWriter put(String key, float value) {
        return put(key, GgufMetadata.Type.FLOAT32, out -> out.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(value))));
    }

    /** A truth value. */
    public GgufWriter put(String key, boolean value) {
        return put(key, GgufMetadata.Type.BOOL, out -> out.writeByte(value ? 1 : 0));
    }

    /** Texts. */
    public GgufWriter put(String key, List<String> values) {
        return array(key, GgufMetadata.Type.STRING, values.size(), out -> {
            for (String value : values) {
                string(out, value);
            }
        });
    }

    /** Whole numbers, as INT32. */
    public GgufWriter put(String key, int... values) {
        return array(key, GgufMetadata.Type.INT32, values.length, out -> {
            for (int value : values) {
                out.writeInt(Integer.reverseBytes(value));
            }
        });
    }

    /** Bytes, as UINT8. */
    public GgufWriter put(String key, byte... values) {
        return array(key, GgufMetadata.Type.UINT8, values.length, out -> out.write(values));
    }

    /** Numbers, as FLOAT32. */
    public GgufWriter put(String key, float... values) {
        return array(key, GgufMetadata.Type.FLOAT32, values.length, out -> {
            for (float value : values) {
                out.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(value)));
            }
        });
    }

    /** The value that another file has for a key, of whatever type. */
    public GgufWriter copy(GgufMetadata metadata, String key) throws FormatException {
        pairs.put(key, metadata.bytes(key));
        return this;
    }

    /** Whether a key has a value already. */
    public boolean has(String key) {
        return pairs.containsKey(key);
    }

    /**
     * A weight, of one or two dimensions.
     *
     * @param layout what its values are rounded to: F32, F16, BF16 or blocks, of which a row has whole ones
     * @throws IllegalArgumentException if it is another, or the rows do not fit; or the name is too long or occurs twice
     */
    public GgufWriter tensor(String name, Layout layout, Weight weight) {
        return tensor(name, layout, weight.shape(), (row, column, count, target) -> weight.read(row, column, count, target, 0));
    }

    /** As {@link #tensor(String, Layout, Weight)}, of values that are made while they are written. */
    public GgufWriter tensor(String name, Layout layout, Shape shape, Rows values) {
        Objects.requireNonNull(values, "values");
        if (name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME) {
            throw new IllegalArgumentException("expected a name of at most " + MAX_NAME + " bytes, got '" + name + "'");
        }
        if (shape.rank() != 1 && shape.rank() != 2) {
            throw new IllegalArgumentException("expected 1 or 2 dimensions, got shape " + shape + " for " + name);
        }
        long columns = shape.size(shape.rank() - 1);
        if (GgufType.of(layout) == null || columns % layout.blockValues() != 0) {
            throw new IllegalArgumentException("expected a layout of GGUF whose blocks make up rows of " + columns + " values, got "
                    + layout + " for " + name);
        }
        var entry = new Entry(layout, shape.rank() == 1 ? 1 : shape.size(0), columns, shape.rank() == 1, values);
        if (tensors.putIfAbsent(name, entry) != null) {
            throw new IllegalArgumentException("expected each tensor once, got " + name + " twice");
        }
        return this;
    }

    /** Bytes of all tensors together, which {@link #write} counts up to. */
    public long bytes() {
        return tensors.values().stream().mapToLong(Entry::bytes).reduce(0, Math::addExact);
    }

    /**
     * Writes the file. It appears under its name when it is complete; what was there before is replaced then.
     *
     * @param progress is told how many bytes of tensors have been written, now and then
     * @throws FileAlreadyExistsException if there is a directory of this name
     * @throws IOException if the file cannot be written
     * @throws IllegalArgumentException if a value is not finite; the message names the tensor
     */
    public void write(Path file, LongConsumer progress) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileAlreadyExistsException(file.toString(), null, "is a directory");
        }
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        Path part = target.resolveSibling("." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        try {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                write(channel, progress);
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private void write(FileChannel channel, LongConsumer progress) throws IOException {
        writeAll(channel, ByteBuffer.wrap(header()));
        long written = 0;
        for (var tensor : tensors.entrySet()) {
            Entry entry = tensor.getValue();
            try {
                written = rows(entry, channel, written, progress);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("tensor " + tensor.getKey() + ": " + e.getMessage(), e);
            }
            pad(channel);
        }
        progress.accept(written);
    }

    private static void pad(FileChannel channel) throws IOException {
        writeAll(channel, ByteBuffer.allocate((int) (-channel.position() & ALIGNMENT - 1)));
    }

    private static long rows(Entry entry, FileChannel channel, long before, LongConsumer progress) throws IOException {
        Layout layout = entry.layout();
        int most = (int) Math.min(CHUNK, entry.columns());
        float[] values = new float[most];
        byte[] bytes = new byte[Math.max(most / layout.blockValues(), 1) * layout.blockBytes()];
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.max(1 << 20, bytes.length));
        var rounding = new BlockRounding();
        long written = before;
        for (long row = 0; row < entry.rows(); row++) {
            for (long column = 0; column < entry.columns(); column += most) {
                int count = (int) Math.min(most, entry.columns() - column);
                entry.values().read(row, column, count, values);
                int size = round(layout, values, count, bytes, rounding);
                if (buffer.remaining() < size) {
                    writeAll(channel, buffer.flip());
                    buffer.clear();
                    progress.accept(written);
                }
                buffer.put(bytes, 0, size);
                written += size;
            }
        }
        writeAll(channel, buffer.flip());
        progress.accept(written);
        return written;
    }

    private static int round(Layout layout, float[] values, int count, byte[] bytes, BlockRounding rounding) {
        if (!layout.isPlain()) {
            int blocks = count / layout.blockValues();
            for (int b = 0; b < blocks; b++) {
                rounding.write(layout, values, b * layout.blockValues(), bytes, b * layout.blockBytes());
            }
            return blocks * layout.blockBytes();
        }
        for (int i = 0; i < count; i++) {
            float value = values[i];
            boolean fits = layout != Layout.F16 || Float.isFinite(Float.float16ToFloat(Float.floatToFloat16(value)));
            if (!Float.isFinite(value) || !fits) {
                throw new IllegalArgumentException("expected finite numbers" + (Float.isFinite(value) ? " of at most 65504, which"
                        + " F16 holds, got " : ", got ") + value);
            }
            int bits = layout == Layout.F16 ? Float.floatToFloat16(value) : Float.floatToRawIntBits(value);
            if (layout == Layout.BF16) {
                bits = bits + 0x7fff + (bits >> 16 & 1) >> 16; // to nearest, ties to even
            }
            for (int b = 0; b < layout.blockBytes(); b++) {
                bytes[i * layout.blockBytes() + b] = (byte) (bits >> 8 * b);
            }
        }
        return count * layout.blockBytes();
    }

    private byte[] header() throws IOException {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        out.writeBytes("GGUF");
        out.writeInt(Integer.reverseBytes(VERSION));
        out.writeLong(Long.reverseBytes(tensors.size()));
        out.writeLong(Long.reverseBytes(pairs.size()));
        for (var pair : pairs.entrySet()) {
            string(out, pair.getKey());
            out.write(pair.getValue());
        }
        long offset = 0;
        for (var tensor : tensors.entrySet()) {
            Entry entry = tensor.getValue();
            string(out, tensor.getKey());
            out.writeInt(Integer.reverseBytes(entry.vector() ? 1 : 2));
            out.writeLong(Long.reverseBytes(entry.columns()));
            if (!entry.vector()) {
                out.writeLong(Long.reverseBytes(entry.rows()));
            }
            out.writeInt(Integer.reverseBytes(GgufType.of(entry.layout()).code()));
            out.writeLong(Long.reverseBytes(offset));
            offset = Math.addExact(offset, Math.addExact(entry.bytes(), -entry.bytes() & ALIGNMENT - 1));
        }
        while (bytes.size() % ALIGNMENT != 0) {
            out.writeByte(0);
        }
        return bytes.toByteArray();
    }

    /** Writes a value. */
    @FunctionalInterface
    private interface Value {
        void write(DataOutputStream out) throws IOException;
    }

    private GgufWriter put(String key, GgufMetadata.Type type, Value value) {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        try {
            out.writeInt(Integer.reverseBytes(type.ordinal()));
            value.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        pairs.put(Objects.requireNonNull(key, "key"), bytes.toByteArray());
        return this;
    }

    private GgufWriter array(String key, GgufMetadata.Type type, int count, Value elements) {
        return put(key, GgufMetadata.Type.ARRAY, out -> {
            out.writeInt(Integer.reverseBytes(type.ordinal()));
            out.writeLong(Long.reverseBytes(count));
            elements.write(out);
        });
    }

    private static void string(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeLong(Long.reverseBytes(bytes.length));
        out.write(bytes);
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
