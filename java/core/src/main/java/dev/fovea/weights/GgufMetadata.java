package dev.fovea.weights;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * The metadata of a GGUF file: values by key. What an array holds is read when it is asked for. A value that is not what
 * it must be is a {@link FormatException} that names file, offset and key. Safe to share between threads while the file
 * is open.
 */
public final class GgufMetadata {
    /** Bytes of a text. Far above any token or template. */
    private static final int MAX_STRING = 1 << 24;

    private final MappedFile file;
    private final Map<String, Value> values;

    /** The types of values, numbered as in files. */
    enum Type {
        UINT8(1), INT8(1), UINT16(2), INT16(2), UINT32(4), INT32(4), FLOAT32(4), BOOL(1), STRING(0), ARRAY(0), UINT64(8),
        INT64(8), FLOAT64(8);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes of a value; 0 where they differ. */
        int bytes() {
            return bytes;
        }

        /** The type of this number, or null. */
        static Type of(int code) {
            return code >= 0 && code < values().length ? values()[code] : null;
        }
    }

    /**
     * A value in the file.
     *
     * @param type of the value, or of the elements of an array
     * @param count of the elements; −1 if it is no array
     * @param at where the value, or the first element, begins
     * @param bytes of the value, or of all elements
     */
    record Value(Type type, long count, long at, long bytes) {
        private String describe() {
            return count < 0 ? "a value of type " + type : "an array of " + count + " of type " + type;
        }
    }

    GgufMetadata(MappedFile file, Map<String, Value> values) {
        this.file = file;
        this.values = Collections.unmodifiableMap(values);
    }

    /** The file. */
    public Path file() {
        return file.file();
    }

    /** All keys, in the order of the file. */
    public Set<String> keys() {
        return values.keySet();
    }

    /** Whether the key is there. */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** A text. */
    public String string(String key) throws FormatException {
        return cursor(key, Type.STRING).string(key, MAX_STRING);
    }

    /** A text, or {@code absent}. */
    public String string(String key, String absent) throws FormatException {
        return has(key) ? string(key) : absent;
    }

    /** A truth value, or {@code absent}. */
    public boolean bool(String key, boolean absent) throws FormatException {
        return has(key) ? cursor(key, Type.BOOL).u8(key) != 0 : absent;
    }

    /** A whole number of any integer type, from {@code least} to 2³¹ − 1. */
    public int integer(String key, int least) throws FormatException {
        Value value = value(key);
        if (value.count >= 0) {
            throw wrong(key, "a whole number");
        }
        long number = integer(new GgufCursor(file, value.at), key, value);
        if (number < least || number > Integer.MAX_VALUE) {
            throw error(key, "expected a whole number from " + least + " to " + Integer.MAX_VALUE + ", got "
                    + (value.type == Type.UINT64 ? Long.toUnsignedString(number) : Long.toString(number)));
        }
        return (int) number;
    }

    /** As {@link #integer(String, int)}, or {@code absent}. */
    public int integer(String key, int least, int absent) throws FormatException {
        return has(key) ? integer(key, least) : absent;
    }

    private long integer(GgufCursor cursor, String key, Value value) throws FormatException {
        return switch (value.type) {
            case UINT8 -> cursor.u8(key);
            case INT8 -> (byte) cursor.u8(key);
            case UINT16 -> Short.toUnsignedLong(cursor.i16(key));
            case INT16 -> cursor.i16(key);
            case UINT32 -> Integer.toUnsignedLong(cursor.i32(key));
            case INT32 -> cursor.i32(key);
            case UINT64, INT64 -> cursor.i64(key);
            default -> throw wrong(key, "whole numbers");
        };
    }

    /** A finite number of a floating-point type. */
    public float number(String key) throws FormatException {
        Value value = value(key);
        float number = switch (value.count >= 0 ? Type.ARRAY : value.type) {
            case FLOAT32 -> Float.intBitsToFloat(new GgufCursor(file, value.at).i32(key));
            case FLOAT64 -> (float) Double.longBitsToDouble(new GgufCursor(file, value.at).i64(key));
            default -> throw wrong(key, "a floating-point number");
        };
        if (!Float.isFinite(number)) {
            throw error(key, "expected a finite number, got " + number);
        }
        return number;
    }

    /** An array of texts. */
    public StringArray strings(String key) throws FormatException {
        Value value = array(key);
        if (value.type != Type.STRING) {
            throw wrong(key, "an array of texts");
        }
        return new GgufCursor(file, value.at).strings(key, count(key, value), value.bytes, MAX_STRING);
    }

    /** An array of whole numbers, each from −2³¹ to 2³¹ − 1. */
    public int[] integers(String key) throws FormatException {
        Value value = array(key);
        GgufCursor cursor = new GgufCursor(file, value.at);
        int[] integers = new int[count(key, value)];
        for (int i = 0; i < integers.length; i++) {
            long number = integer(cursor, key, value);
            if (number != (int) number) {
                throw error(key, "expected whole numbers of 32 bits, got " + number + " at " + i);
            }
            integers[i] = (int) number;
        }
        return integers;
    }

    /** An array of finite numbers of 32 bits. */
    public float[] numbers(String key) throws FormatException {
        Value value = array(key);
        if (value.type != Type.FLOAT32) {
            throw wrong(key, "an array of type FLOAT32");
        }
        GgufCursor cursor = new GgufCursor(file, value.at);
        float[] numbers = new float[count(key, value)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Float.intBitsToFloat(cursor.i32(key));
            if (!Float.isFinite(numbers[i])) {
                throw error(key, "expected finite numbers, got " + numbers[i] + " at " + i);
            }
        }
        return numbers;
    }

    private int count(String key, Value value) throws FormatException {
        if (value.count > Integer.MAX_VALUE - 8) {
            throw error(key, "expected at most " + (Integer.MAX_VALUE - 8) + " elements, got " + value.count);
        }
        return (int) value.count;
    }

    /** The value of a key as a file has it: its type, and what follows. */
    byte[] bytes(String key) throws FormatException {
        Value value = values.get(key);
        if (value == null) {
            throw error(key, "the key is missing");
        }
        long begin = value.at - (value.count < 0 ? Integer.BYTES : 2 * Integer.BYTES + Long.BYTES);
        return file.bytes().asSlice(begin, value.at + value.bytes - begin).toArray(ValueLayout.JAVA_BYTE);
    }

    /** What is wrong with the value of a key. */
    public FormatException error(String key, String problem) {
        return file.error(values.containsKey(key) ? values.get(key).at : -1, key, problem);
    }

    private FormatException wrong(String key, String expected) {
        return error(key, "expected " + expected + ", got " + values.get(key).describe());
    }

    private Value value(String key) throws FormatException {
        Value value = values.get(key);
        if (value == null) {
            throw file.error(-1, key, "the key is missing");
        }
        return value;
    }

    private Value array(String key) throws FormatException {
        Value value = value(key);
        if (value.count < 0) {
            throw wrong(key, "an array");
        }
        return value;
    }

    private GgufCursor cursor(String key, Type type) throws FormatException {
        Value value = value(key);
        if (value.count >= 0 || value.type != type) {
            throw wrong(key, "a value of type " + type);
        }
        return new GgufCursor(file, value.at);
    }
}
