package dev.fovea.weights;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The checked header of a GGUF file, as the specification in ggml's {@code docs/gguf.md} has it.
 *
 * <pre>
 *   | "GGUF" | version: u32 | tensors: u64 | pairs: u64 | metadata | tensor infos | padding | data |
 *
 *   metadata      key: string, type: u32, value; an array is its type: u32, count: u64, elements
 *   tensor info   name: string, dimensions: u32, sizes: u64 each, the innermost first, type: u32, offset: u64
 * </pre>
 *
 * <p>A string is its length, a u64, and then its bytes. Offsets count from the start of the data and are multiples of
 * {@code general.alignment}. As for llama.cpp, the tensors must cover the data without overlap or gaps but padding.
 */
final class GgufHeader {
    private static final int MAGIC = 0x46554747; // GGUF
    private static final int MAX_KEY = (1 << 16) - 1;
    private static final int MAX_NAME = 64;
    private static final int MAX_DIMENSIONS = 4;
    private static final long MAX_COUNT = 1 << 20;
    private static final long MAX_ALIGNMENT = 1 << 20;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final String ALIGNMENT = "general.alignment";
    /** A key of one byte, its type, and a value of one byte; a name, dimensions, type and offset. */
    private static final int LEAST_PAIR = Long.BYTES + 1 + Integer.BYTES + 1;
    private static final int LEAST_INFO = Long.BYTES + Integer.BYTES + Integer.BYTES + Long.BYTES;

    /** One tensor; {@code begin} and {@code end} are positions in the file, of which {@code shape} needs all. */
    record Entry(String name, GgufType type, long[] shape, long begin, long end) {}

    private final MappedFile file;
    private final GgufCursor cursor;
    private final Map<String, GgufMetadata.Value> values = new LinkedHashMap<>();
    private GgufMetadata metadata;
    private List<Entry> entries = new ArrayList<>();

    private GgufHeader(MappedFile file) {
        this.file = file;
        this.cursor = new GgufCursor(file, 0);
    }

    static GgufHeader read(MappedFile file) throws FormatException {
        GgufHeader header = new GgufHeader(file);
        header.read();
        return header;
    }

    GgufMetadata metadata() {
        return metadata;
    }

    /** The tensors in the order of their data. */
    List<Entry> entries() {
        return entries;
    }

    private void read() throws FormatException {
        int magic = cursor.i32("magic");
        if (magic != MAGIC) {
            throw file.error(0, "magic", "expected 'GGUF', got bytes 0x" + Integer.toHexString(Integer.reverseBytes(magic)));
        }
        int version = cursor.i32("version");
        if (version != 2 && version != 3) {
            boolean big = Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == 3;
            throw file.error(Integer.BYTES, "version", "expected 2 or 3" + (big ? ", got a big-endian file"
                    : ", got " + Integer.toUnsignedString(version)));
        }
        long tensors = count("tensor count", LEAST_INFO);
        long pairs = count("metadata count", LEAST_PAIR);
        for (long i = 0; i < pairs; i++) {
            readPair("metadata[" + i + "]");
        }
        metadata = new GgufMetadata(file, values);
        long alignment = alignment();
        for (long i = 0; i < tensors; i++) {
            readInfo("tensor[" + i + "]");
        }
        long dataStart = align(cursor.at(), alignment);
        place(dataStart, alignment);
    }

    private long count(String field, long least) throws FormatException {
        long start = cursor.at();
        long count = cursor.count(field, least);
        if (count > MAX_COUNT) {
            throw file.error(start, field, "expected at most " + MAX_COUNT + ", got " + count);
        }
        return count;
    }

    private void readPair(String place) throws FormatException {
        long start = cursor.at();
        String key = cursor.string(place + ".key", MAX_KEY);
        if (values.containsKey(key)) {
            throw file.error(start, key, "the key occurs twice");
        }
        GgufMetadata.Type type = type(key);
        if (type != GgufMetadata.Type.ARRAY) {
            put(key, type, -1);
            return;
        }
        GgufMetadata.Type element = type(key);
        if (element == GgufMetadata.Type.ARRAY) {
            throw cursor.error(key, "expected an array of plain values, got one of arrays");
        }
        put(key, element, cursor.count(key, Math.max(element.bytes(), element.bytes() == 0 ? Long.BYTES : 1)));
    }

    /** Notes a value, or an array of so many, and passes over it. */
    private void put(String key, GgufMetadata.Type type, long count) throws FormatException {
        long start = cursor.at();
        skip(key, type, count < 0 ? 1 : count);
        values.put(key, new GgufMetadata.Value(type, count, start, cursor.at() - start));
    }

    private GgufMetadata.Type type(String key) throws FormatException {
        long start = cursor.at();
        int code = cursor.i32(key);
        GgufMetadata.Type type = GgufMetadata.Type.of(code);
        if (type == null) {
            throw file.error(start, key, "expected a type from 0 to 12, got " + Integer.toUnsignedString(code));
        }
        return type;
    }

    /** Passes over values, of which there is room for {@code count} of the least size. */
    private void skip(String key, GgufMetadata.Type type, long count) throws FormatException {
        switch (type) {
            case STRING -> {
                for (long i = 0; i < count; i++) {
                    cursor.skipString(key);
                }
            }
            case BOOL -> {
                for (long i = 0; i < count; i++) {
                    int value = cursor.u8(key);
                    if (value > 1) {
                        throw file.error(cursor.at() - 1, key, "expected a truth value, 0 or 1, got " + value);
                    }
                }
            }
            default -> cursor.skip(key, Math.multiplyExact(count, (long) type.bytes()));
        }
    }

    private long alignment() throws FormatException {
        int alignment = metadata.integer(ALIGNMENT, 1, DEFAULT_ALIGNMENT);
        if (Integer.bitCount(alignment) != 1 || alignment > MAX_ALIGNMENT) {
            throw metadata.error(ALIGNMENT, "expected a power of two up to " + MAX_ALIGNMENT + ", got " + alignment);
        }
        return alignment;
    }

    private static long align(long position, long alignment) {
        return (position + alignment - 1) / alignment * alignment;
    }

    /** A tensor's description; its positions count from the start of the data until {@link #place}. */
    private void readInfo(String place) throws FormatException {
        String name = cursor.string(place + ".name", MAX_NAME);
        long start = cursor.at();
        int rank = cursor.i32(name + ".dimensions");
        if (rank < 0 || rank > MAX_DIMENSIONS) {
            throw file.error(start, name + ".dimensions", "expected at most " + MAX_DIMENSIONS + ", got "
                    + Integer.toUnsignedString(rank));
        }
        start = cursor.at();
        long[] shape = new long[rank];
        for (int i = rank - 1; i >= 0; i--) {
            shape[i] = cursor.i64(name + ".shape");
        }
        int code = cursor.i32(name + ".type");
        GgufType type = GgufType.of(code);
        if (type == null) {
            throw file.error(cursor.at() - Integer.BYTES, name + ".type", "unknown type " + Integer.toUnsignedString(code));
        }
        long bytes = bytes(name, start, type, shape);
        start = cursor.at();
        long offset = cursor.i64(name + ".offset");
        if (offset < 0 || offset > file.size() - bytes) {
            throw file.error(start, name + ".offset", "a tensor of " + bytes + " bytes at data offset "
                    + Long.toUnsignedString(offset) + " does not fit a file of " + file.size() + " bytes");
        }
        entries.add(new Entry(name, type, shape, offset, offset + bytes));
    }

    private long bytes(String name, long start, GgufType type, long[] shape) throws FormatException {
        String field = name + ".shape";
        try {
            long elements = 1;
            for (long size : shape) {
                if (size < 0) {
                    throw file.error(start, field, "expected sizes below 2^63, got " + Long.toUnsignedString(size));
                }
                elements = Math.multiplyExact(elements, size);
            }
            long row = shape.length == 0 ? 1 : shape[shape.length - 1];
            if (row % type.blockValues() != 0) {
                throw file.error(start, field, "expected rows of a multiple of " + type.blockValues()
                        + " values, the size of a " + type + " block, got " + row);
            }
            long bytes = type.bytes(elements);
            if (bytes <= file.size()) {
                return bytes;
            }
            throw file.error(start, field, "a tensor of " + bytes + " bytes does not fit a file of " + file.size() + " bytes");
        } catch (ArithmeticException e) {
            throw file.error(start, field, "its elements are more than can be addressed");
        }
    }

    /** Moves the tensors to where they are in the file, and proves that they share it without overlap. */
    private void place(long dataStart, long alignment) throws FormatException {
        Set<String> names = new HashSet<>();
        List<Entry> placed = new ArrayList<>();
        for (Entry entry : entries) {
            if (!names.add(entry.name)) {
                throw file.error(-1, entry.name, "the tensor occurs twice");
            }
            if (entry.end > file.size() - dataStart) {
                throw file.error(file.size(), entry.name, "the tensor ends at data offset " + entry.end
                        + ", but the file has " + Math.max(0, file.size() - dataStart) + " bytes of data");
            }
            if (entry.begin % alignment != 0) {
                throw file.error(dataStart + entry.begin, entry.name + ".offset",
                        "expected a multiple of " + alignment + ", got " + entry.begin);
            }
            placed.add(new Entry(entry.name, entry.type, entry.shape, dataStart + entry.begin, dataStart + entry.end));
        }
        placed.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long covered = dataStart;
        for (Entry entry : placed) {
            if (entry.begin != align(covered - dataStart, alignment) + dataStart) {
                throw file.error(entry.begin, entry.name + ".offset",
                        (entry.begin < covered ? "overlaps the tensor before, which ends" : "leaves a gap")
                                + " at data offset " + (covered - dataStart));
            }
            covered = entry.end;
        }
        long end = placed.isEmpty() ? covered : align(covered - dataStart, alignment) + dataStart;
        if (file.size() > end) {
            throw file.error(end, "data", "the tensors end here, but the file has " + (file.size() - end) + " more bytes");
        }
        entries = placed;
    }
}
