package dev.fovea.cli;

import dev.fovea.model.TextEmbedding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;

/**
 * Writes a NumPy array of binary32 or bytes, [texts, dimension], rows first.
 *
 * <pre>
 *   0  93 'N' 'U' 'M' 'P' 'Y'        magic
 *   6  1 0                           version 1.0
 *   8  118 0                         bytes of the text that follows, little-endian
 *  10  {'descr': '&lt;f4', 'fortran_order': False, 'shape': (texts, dimension), } spaces LF
 * 128  components, little-endian
 * </pre>
 *
 * <p>The header has room for any number of texts and is written last, when that is known. Source: NumPy reference,
 * numpy.lib.format.
 */
final class NpySink implements EmbeddingSink {
    private static final int HEADER_BYTES = 128;
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final int BUFFER_BYTES = 1 << 16;

    private final OutputFile file;
    private final String type;
    private final int dimension;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private long texts;

    /**
     * Writes vectors to {@code file}, which the sink closes.
     *
     * @param type NumPy's name of the numbers: {@code <f4}, {@code |i1} or {@code |u1}
     * @param dimension numbers of a vector
     */
    NpySink(OutputFile file, String type, int dimension) throws IOException {
        this.file = file;
        this.type = type;
        this.dimension = dimension;
        file.channel().position(HEADER_BYTES);
    }

    @Override
    public void write(String text, TextEmbedding embedding, byte[] bytes) throws IOException {
        texts++;
        if (bytes != null) {
            for (byte component : bytes) {
                if (!buffer.hasRemaining()) {
                    flush();
                }
                buffer.put(component);
            }
            return;
        }
        for (float component : embedding.vector()) {
            if (buffer.remaining() < Float.BYTES) {
                flush();
            }
            buffer.putFloat(component);
        }
    }

    @Override
    public void flush() throws IOException {
        writeFully(buffer.flip());
        buffer.clear();
    }

    @Override
    public void commit() throws IOException {
        flush();
        file.channel().position(0);
        writeFully(header());
        file.commit();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private ByteBuffer header() {
        String description = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + texts + ", " + dimension + "), }";
        int textBytes = HEADER_BYTES - MAGIC.length - Short.BYTES;
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).putShort((short) textBytes);
        header.put(description.getBytes(StandardCharsets.US_ASCII));
        while (header.remaining() > 1) {
            header.put((byte) ' ');
        }
        return header.put((byte) '\n').flip();
    }

    private void writeFully(ByteBuffer bytes) throws IOException {
        FileChannel channel = file.channel();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
