package dev.fovea.weights;

import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** One {@code TensorProto}: an initializer of a graph, or the value of a node {@code Constant}. */
final class OnnxInitializer {
    private static final int MAX_RANK = 64;
    private static final int ALIGNMENT = 64;
    private static final int EXTERNAL = 1;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ProtoReader message;
    private final long[] dims = new long[MAX_RANK];
    private int rank;
    private String name = "";
    private long typeCode;
    private MemorySegment raw;
    private boolean external;
    private final OnnxExternalData.Place place = new OnnxExternalData.Place();

    /** Elements in the typed fields, and their bytes where all of them are one packed run. */
    private long elements;
    private MemorySegment packedFloats;

    private OnnxInitializer(ProtoReader message) {
        this.message = message;
    }

    /** Adds an initializer to {@code tensors}; data that is not stored as such is decoded into {@code arena}. */
    static void read(ProtoReader message, Arena arena, OnnxExternalData data, TensorTable tensors) throws IOException {
        OnnxInitializer initializer = new OnnxInitializer(message);
        initializer.readFields();
        if (initializer.name.isEmpty() || tensors.contains(initializer.name)) {
            throw message.error("name", initializer.name.isEmpty()
                    ? "an initializer needs a name"
                    : "two initializers have the name '" + initializer.name + "'");
        }
        initializer.addTo(tensors, arena, data);
    }

    /** Adds the value of a constant under a name. */
    static void readConstant(ProtoReader message, String name, Arena arena, OnnxExternalData data, TensorTable tensors)
            throws IOException {
        OnnxInitializer constant = new OnnxInitializer(message);
        constant.readFields();
        constant.name = name;
        constant.addTo(tensors, arena, data);
    }

    private void addTo(TensorTable tensors, Arena arena, OnnxExternalData data) throws IOException {
        OnnxType type = OnnxType.of(typeCode);
        if (type == null) {
            tensors.putUnsupported(name, "ONNX data type " + typeCode);
        } else {
            tensors.put(name, tensor(type, arena, data));
        }
    }

    private void readFields() throws FormatException {
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> readDims();
                case 2 -> typeCode = message.varint("data_type");
                case 3 -> throw message.error("segment", "tensors stored in segments are not supported");
                case OnnxType.FLOAT_DATA -> countFloats();
                case OnnxType.INT32_DATA, OnnxType.INT64_DATA -> countVarints();
                case 8 -> name = message.string("name");
                case 9 -> raw = message.bytes("raw_data");
                case 13 -> place.add(message.message("external_data"));
                case 14 -> external = message.varint("data_location") == EXTERNAL;
                default -> message.skip();
            }
        }
    }

    private void readDims() throws FormatException {
        if (!message.isBytes()) {
            addDim(message.varint("dims"));
            return;
        }
        for (ProtoReader packed = message.message("dims"); packed.hasMore();) {
            addDim(packed.packedVarint("dims"));
        }
    }

    private void addDim(long size) throws FormatException {
        if (rank == MAX_RANK) {
            throw message.error("dims", "more than " + MAX_RANK + " dimensions");
        }
        if (size < 0) {
            throw message.error("dims", "negative size " + size + " of dimension " + rank);
        }
        dims[rank++] = size;
    }

    private void countFloats() throws FormatException {
        if (!message.isBytes()) {
            message.fixed32("float_data");
            elements++;
            return;
        }
        MemorySegment run = message.bytes("float_data");
        if (run.byteSize() % Float.BYTES != 0) {
            throw message.error("float_data", run.byteSize() + " bytes are not a whole number of floats");
        }
        packedFloats = elements == 0 ? run : null;
        elements += run.byteSize() / Float.BYTES;
    }

    private void countVarints() throws FormatException {
        if (!message.isBytes()) {
            message.varint("data");
            elements++;
            return;
        }
        for (ProtoReader packed = message.message("data"); packed.hasMore(); elements++) {
            packed.packedVarint("data");
        }
    }

    private Tensor tensor(OnnxType type, Arena arena, OnnxExternalData external) throws IOException {
        long[] shape = Arrays.copyOf(dims, rank);
        long needed = bytesNeeded(type, shape);
        MemorySegment data;
        if (this.external) {
            if (elements != 0 || raw != null) {
                throw message.error("data_location", "the data is in another file, and in this one too");
            }
            data = external.data(place, message, needed);
        } else if (raw != null) {
            if (elements != 0) {
                throw message.error("raw_data", "present beside " + elements + " elements in typed data");
            }
            data = raw;
        } else if (type == OnnxType.FLOAT && packedFloats != null
                && elements * Float.BYTES == packedFloats.byteSize()) {
            data = packedFloats;
        } else {
            if (needed != elements * type.dtype().bytes()) {
                throw wrongSize(shape, needed, elements * type.dtype().bytes());
            }
            data = decode(type, arena.allocate(needed, ALIGNMENT));
        }
        if (needed != data.byteSize()) {
            throw wrongSize(shape, needed, data.byteSize());
        }
        return TensorTable.view(message.file(), message.start(), message.name() + ".dims", data, type.dtype(), shape);
    }

    private long bytesNeeded(OnnxType type, long[] shape) throws FormatException {
        try {
            long bytes = type.dtype().bytes();
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
            return bytes;
        } catch (ArithmeticException e) {
            throw message.error("dims", Arrays.toString(shape) + " has more than 2^63-1 bytes");
        }
    }

    private FormatException wrongSize(long[] shape, long needed, long found) {
        return message.error("dims", "tensor '" + name + "' of " + Arrays.toString(shape) + " needs " + needed
                + " bytes, its data has " + found);
    }

    /** Copies the elements of the typed field of {@code type} into {@code data}, which has room for exactly all. */
    private MemorySegment decode(OnnxType type, MemorySegment data) throws FormatException {
        long element = 0;
        ProtoReader reader = message.again();
        for (int field = reader.next(); field != 0; field = reader.next()) {
            if (field != OnnxType.FLOAT_DATA && field != OnnxType.INT32_DATA && field != OnnxType.INT64_DATA) {
                reader.skip();
            } else if (field != type.dataField()) {
                throw message.error("data_type", type + " does not go with elements in field " + field);
            } else if (field == OnnxType.FLOAT_DATA) {
                element = decodeFloats(reader, data, element);
            } else {
                element = decodeVarints(reader, type, data, element);
            }
        }
        return data;
    }

    private static long decodeFloats(ProtoReader reader, MemorySegment data, long element) throws FormatException {
        if (!reader.isBytes()) {
            data.setAtIndex(INT, element, reader.fixed32("float_data"));
            return element + 1;
        }
        MemorySegment run = reader.bytes("float_data");
        MemorySegment.copy(run, 0, data, element * Float.BYTES, run.byteSize());
        return element + run.byteSize() / Float.BYTES;
    }

    private static long decodeVarints(ProtoReader reader, OnnxType type, MemorySegment data, long first)
            throws FormatException {
        long element = first;
        if (!reader.isBytes()) {
            store(reader, type, data, element++, reader.varint("data"));
            return element;
        }
        for (ProtoReader packed = reader.message("data"); packed.hasMore();) {
            store(reader, type, data, element++, packed.packedVarint("data"));
        }
        return element;
    }

    private static void store(ProtoReader reader, OnnxType type, MemorySegment data, long element, long value)
            throws FormatException {
        if (!type.holds(value)) {
            throw reader.error("data", "element " + element + " is " + value + ", which is no " + type);
        }
        switch (type.dtype().bytes()) {
            case Byte.BYTES -> data.set(ValueLayout.JAVA_BYTE, element, (byte) value);
            case Short.BYTES -> data.setAtIndex(SHORT, element, (short) value);
            case Integer.BYTES -> data.setAtIndex(INT, element, (int) value);
            default -> data.setAtIndex(LONG, element, value);
        }
    }
}
