package dev.fovea.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The lines of UTF-8 input.
 *
 * <p>A line ends with LF or CRLF; the last one may lack it. A byte order mark at the start is skipped.
 */
final class TextLines implements TextSource {
    /** The most bytes that a line may have. */
    static final int MAX_LINE_BYTES = 4 << 20;

    /** A block ends with the line that reaches this. */
    private static final int BLOCK_BYTES = 1 << 15;

    private static final int FIRST_BUFFER_BYTES = 1 << 16;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final String name;
    private final InputStream in;
    private final long total;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private byte[] buffer = new byte[FIRST_BUFFER_BYTES];
    /** The unread bytes are {@code buffer[start, end)}; none of {@code buffer[start, searched)} is LF. */
    private int start;
    private int searched;
    private int end;
    private boolean ended;
    private long lines;
    private long bytes;

    /**
     * The lines of {@code in}, which this closes.
     *
     * @param name what errors call it
     * @param total its bytes; 0 if nobody knows
     */
    TextLines(String name, InputStream in, long total) {
        this.name = name;
        this.in = in;
        this.total = total;
    }

    /**
     * The next lines: at least one unless the input has ended, then more until the block is full or the next line
     * would have to be waited for.
     *
     * @throws IOException if reading fails, or a line is not valid UTF-8 or too long; the message names it
     */
    @Override
    public List<String> next() throws IOException {
        List<String> block = new ArrayList<>();
        long limit = bytes + BLOCK_BYTES;
        while (block.size() < BLOCK_TEXTS && bytes < limit) {
            String line = readLine(block.isEmpty());
            if (line == null) {
                break;
            }
            block.add(line);
        }
        return block;
    }

    @Override
    public String unit() {
        return "line";
    }

    @Override
    public long texts() {
        return lines;
    }

    /** The bytes of the lines handed out so far, their ends included. */
    @Override
    public long done() {
        return bytes;
    }

    @Override
    public long total() {
        return total;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** The next line, or null at the end, or where the input makes one wait and {@code mayWait} is false. */
    private String readLine(boolean mayWait) throws IOException {
        while (true) {
            for (; searched < end; searched++) {
                if (buffer[searched] == '\n') {
                    return take(searched, searched + 1);
                }
            }
            if (ended) {
                return start == end ? null : take(end, end);
            }
            if (!mayWait && in.available() == 0) {
                return null;
            }
            fill();
        }
    }

    /** The line {@code buffer[start, lineEnd)}; what follows begins at {@code next}. */
    private String take(int lineEnd, int next) throws IOException {
        int textStart = start;
        if (lines == 0 && Arrays.mismatch(buffer, start, Math.min(start + 3, lineEnd), BYTE_ORDER_MARK, 0, 3) < 0) {
            textStart += BYTE_ORDER_MARK.length;
        }
        int textEnd = lineEnd > textStart && lineEnd < next && buffer[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
        ByteBuffer text = ByteBuffer.wrap(buffer, textStart, textEnd - textStart);
        lines++;
        bytes += next - start;
        try {
            String line = decoder.decode(text).toString();
            start = next;
            searched = next;
            return line;
        } catch (CharacterCodingException e) {
            throw new IOException(String.format("%s: line %d is not valid UTF-8 at its byte %d (0x%02X)",
                    name, lines, text.position() - textStart + 1, buffer[text.position()]), e);
        }
    }

    private void fill() throws IOException {
        if (end - start > MAX_LINE_BYTES) {
            throw new IOException(name + ": line " + (lines + 1) + " is longer than " + MAX_LINE_BYTES + " bytes");
        }
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            searched -= start;
            end -= start;
            start = 0;
        }
        if (end == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        }
        int count = in.read(buffer, end, buffer.length - end);
        if (count < 0) {
            ended = true;
        } else {
            end += count;
        }
    }
}
