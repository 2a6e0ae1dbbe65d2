package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The files beside an ONNX model that hold the data of its tensors. Each is mapped once. */
final class OnnxExternalData {
    /** Models of one file for each tensor have some hundred; each takes a mapping of the process. */
    private static final int MAX_FILES = 10_000;

    private final Path model;
    private final Arena arena;
    private final Map<String, MappedFile> files = new HashMap<>();

    OnnxExternalData(Path model, Arena arena) {
        this.model = model;
        this.arena = arena;
    }

    /** Where the data of a tensor is: the {@code external_data} of a {@code TensorProto}. */
    static final class Place {
        private String location;
        private String offset = "0";
        private String length;

        /** Takes one entry; others than these three, such as a checksum, are not looked at. */
        void add(ProtoReader entry) throws FormatException {
            String key = "";
            String value = "";
            for (int field = entry.next(); field != 0; field = entry.next()) {
                switch (field) {
                    case 1 -> key = entry.string("key");
                    case 2 -> value = entry.string("value");
                    default -> entry.skip();
                }
            }
            switch (key) {
                case "location" -> location = value;
                case "offset" -> offset = value;
                case "length" -> length = value;
                default -> { }
            }
        }
    }

    /**
     * The bytes of a tensor.
     *
     * @param message the tensor, for errors
     * @param bytes as many as its type and shape need
     * @throws FormatException if the place is none, is outside the model's directory, or ends too early
     */
    MemorySegment data(Place place, ProtoReader message, long bytes) throws IOException {
        MappedFile file = file(place.location, message);
        long offset = number(place.offset, "offset", message);
        if (place.length != null && number(place.length, "length", message) != bytes) {
            throw message.error("external_data.length", "expected " + bytes + " bytes by type and shape, got " + place.length);
        }
        if (offset > file.size() || bytes > file.size() - offset) {
            throw message.error("external_data.offset", bytes + " bytes from byte " + offset + " on are not in "
                    + Excerpt.of(place.location) + ", which has " + file.size());
        }
        return file.bytes().asSlice(offset, bytes);
    }

    /** Bytes of the files that tensors were found in. */
    long mappedBytes() {
        long bytes = 0;
        for (MappedFile file : files.values()) {
            bytes += file.size();
        }
        return bytes;
    }

    private MappedFile file(String location, ProtoReader message) throws IOException {
        if (location == null || location.isEmpty()) {
            throw message.error("external_data.location", "expected the name of a file, got none");
        }
        MappedFile mapped = files.get(location);
        if (mapped != null) {
            return mapped;
        }
        if (files.size() == MAX_FILES) {
            throw message.error("external_data.location", "more than " + MAX_FILES + " files");
        }
        Path file = path(location, message);
        try {
            mapped = MappedFile.map(file, arena);
        } catch (FileSystemException e) {
            throw message.error("external_data.location", "the data is in another file, " + file + ": "
                    + (e.getReason() == null ? "it cannot be opened" : e.getReason()));
        }
        files.put(location, mapped);
        return mapped;
    }

    /** A path within the model's directory; what lies there may be a link, as in caches of Hugging Face's. */
    private Path path(String location, ProtoReader message) throws FormatException {
        Path relative = null;
        try {
            relative = Path.of(location);
        } catch (InvalidPathException e) {
            // no path at all, refused below
        }
        boolean inside = relative != null && !relative.isAbsolute() && location.indexOf('\\') < 0
                && location.indexOf(':') < 0;
        for (int i = 0; inside && i < relative.getNameCount(); i++) {
            inside = !relative.getName(i).toString().equals("..");
        }
        if (!inside) {
            throw message.error("external_data.location", "expected the name of a file in the model's directory, got '"
                    + Excerpt.of(location) + "'");
        }
        return model.resolveSibling(relative);
    }

    private static long number(String text, String key, ProtoReader message) throws FormatException {
        try {
            long number = Long.parseLong(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below
        }
        throw message.error("external_data." + key, "expected a number of bytes, got '" + Excerpt.of(text) + "'");
    }
}
