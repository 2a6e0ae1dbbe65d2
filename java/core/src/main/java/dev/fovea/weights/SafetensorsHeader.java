package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The checked header of a safetensors file.
 *
 * <pre>
 *   0        8                    8 + n                     end
 *   | n: u64 | n bytes of JSON    | data                    |
 * </pre>
 *
 * <p>The JSON maps each name to {@code {"dtype": …, "shape": […], "data_offsets": [begin, end]}},
 * offsets counting from the start of the data. The tensors must cover the data without gap or
 * overlap. The rules are those of the format's reference implementation.
 */
final class SafetensorsHeader {
    private static final int LENGTH_BYTES = Long.BYTES;
    private static final long MAX_LENGTH = 100_000_000;
    private static final String METADATA = "__metadata__";
    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** One tensor; {@code begin} and {@code end} are positions in the file, of which {@code shape} needs all. */
    record Entry(String name, StoredType type, long[] shape, long begin, long end) {}

    private final MappedFile file;
    private final long dataStart;
    private final List<Entry> entries = new ArrayList<>();

    private SafetensorsHeader(MappedFile file, long dataStart) {
        this.file = file;
        this.dataStart = dataStart;
    }

    /** The tensors of {@code file} in the order of their data. */
    static List<Entry> read(MappedFile file) throws IOException {
        SafetensorsHeader header = new SafetensorsHeader(file, LENGTH_BYTES + readLength(file));
        byte[] json = file.bytes()
                .asSlice(LENGTH_BYTES, header.dataStart - LENGTH_BYTES)
                .toArray(ValueLayout.JAVA_BYTE);
        StrictJson.read(file.file(), LENGTH_BYTES, "header", json, header::readTensors);
        header.entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        header.checkCoverage();
        return header.entries;
    }

    private static long readLength(MappedFile file) throws FormatException {
        if (file.size() < LENGTH_BYTES) {
            throw file.error(0, "header length", "expected " + LENGTH_BYTES + " bytes, the file has " + file.size());
        }
        long length = file.bytes().get(LENGTH, 0);
        if (length < 0 || length > MAX_LENGTH) {
            throw file.error(0, "header length",
                    "expected at most " + MAX_LENGTH + " bytes, got " + Long.toUnsignedString(length));
        }
        if (length > file.size() - LENGTH_BYTES) {
            throw file.error(0, "header length",
                    "header of " + length + " bytes does not fit a file of " + file.size() + " bytes");
        }
        return length;
    }

    private void readTensors(StrictJson json) throws IOException {
        json.object("header", name -> {
            if (name.equals(METADATA)) {
                json.object(METADATA, key -> json.string(METADATA + "." + key));
            } else {
                entries.add(new EntryReader(name).read(json));
            }
        });
    }

    /** Reads the object that describes one tensor. */
    private final class EntryReader {
        private final String name;
        private StoredType type;
        private long[] shape;
        private long[] offsets;

        EntryReader(String name) {
            this.name = name;
        }

        Entry read(StrictJson json) throws IOException {
            json.object(name, key -> readMember(json, key, name + "." + key));
            if (type == null || shape == null || offsets == null) {
                throw json.error(name, "expected dtype, shape and data_offsets, one is missing");
            }
            return checked(json);
        }

        private void readMember(StrictJson json, String key, String field) throws IOException {
            switch (key) {
                case "dtype" -> {
                    String word = json.string(field);
                    type = StoredType.of(word).orElseThrow(() -> json.error(field, "unknown type '" + Excerpt.of(word) + "'"));
                }
                case "shape" -> shape = json.naturals(field);
                case "data_offsets" -> offsets = json.naturals(field);
                default -> throw json.error(field, "expected dtype, shape or data_offsets");
            }
        }

        private Entry checked(StrictJson json) throws FormatException {
            String field = name + ".data_offsets";
            if (offsets.length != 2) {
                throw json.error(field, "expected 2 numbers, got " + offsets.length);
            }
            long dataBytes = file.size() - dataStart;
            String range = "[" + offsets[0] + ", " + offsets[1] + "]";
            if (offsets[0] > offsets[1] || offsets[1] > dataBytes) {
                throw json.error(field, "expected begin <= end <= " + dataBytes + " bytes of data, got " + range);
            }
            long needed = type.bytes(shape).orElseThrow(() -> json.error(
                    name + ".shape", "its elements are not a whole number of bytes below 2^60"));
            if (needed != offsets[1] - offsets[0]) {
                throw file.error(dataStart + offsets[0], field, "dtype and shape need " + needed + " bytes, "
                        + range + " holds " + (offsets[1] - offsets[0]));
            }
            return new Entry(name, type, shape, dataStart + offsets[0], dataStart + offsets[1]);
        }
    }

    private void checkCoverage() throws FormatException {
        long covered = dataStart;
        for (Entry entry : entries) {
            if (entry.begin != covered) {
                throw file.error(entry.begin, entry.name + ".data_offsets",
                        (entry.begin < covered ? "overlaps the tensor before, which ends" : "leaves a gap")
                                + " at data offset " + (covered - dataStart));
            }
            covered = entry.end;
        }
        if (covered != file.size()) {
            throw file.error(covered, "data",
                    "the tensors end here, but the file has " + (file.size() - covered) + " more bytes");
        }
    }
}
