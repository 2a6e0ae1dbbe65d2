package dev.fovea.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes. Text is UTF-8 whatever the locale says.
 *
 * @param in standard input, unbuffered
 * @param out standard output, buffered; unlike {@link System#out} it reports that its reader went away
 * @param err standard error, flushed at each line's end
 */
record Streams(InputStream in, OutputStream out, PrintWriter err) {
    private static final int BUFFER_BYTES = 1 << 16;

    /** Those of the process. */
    static Streams ofProcess() {
        return of(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err));
    }

    /** Streams over these, which stay the caller's to close. */
    static Streams of(InputStream in, OutputStream out, OutputStream err) {
        return new Streams(in, new BufferedOutputStream(out, BUFFER_BYTES),
                new PrintWriter(new OutputStreamWriter(err, StandardCharsets.UTF_8), true));
    }

    /** A writer on {@link #out}. Flush it, but do not close it. */
    Writer writer() {
        return new OutputStreamWriter(out, StandardCharsets.UTF_8);
    }

    /** Writes {@code text} to standard output and flushes it. */
    void print(CharSequence text) throws IOException {
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
