package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A two-dimensional array of binary32 in NumPy's file format, version 1.0. */
record NumPyFile(int[] shape, ByteBuffer values) {
    private static final Pattern HEADER =
            Pattern.compile("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\((\\d+), (\\d+)\\), } *\n");

    static NumPyFile read(Path path) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[8];
        bytes.get(magic);
        assertEquals("\u0093NUMPY\u0001\u0000", new String(magic, StandardCharsets.ISO_8859_1));
        byte[] header = new byte[bytes.getShort()];
        bytes.get(header);
        assertEquals(0, bytes.position() % 64);
        Matcher matcher = HEADER.matcher(new String(header, StandardCharsets.US_ASCII));
        assertTrue(matcher.matches());
        int[] shape = {Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))};
        assertEquals((long) shape[0] * shape[1] * Float.BYTES, bytes.remaining());
        return new NumPyFile(shape, bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    float[] row(int index) {
        float[] row = new float[shape[1]];
        values.asFloatBuffer().get(index * row.length, row);
        return row;
    }
}
