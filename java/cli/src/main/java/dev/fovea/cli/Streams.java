package dev.fovea.cli;

import dev.fovea.internal.files.Excerpt;
import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterWriter;
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
                new StandardOutput(),
                new FileOutputStream(FileDescriptor.err));
    }

    /** Whether these are the process's own. */
    boolean areOfProcess() {
        return in instanceof FileInputStream;
    }

    /** Streams over these, which stay the caller's to close. */
    static Streams of(InputStream in, OutputStream out, OutputStream err) {
        return new Streams(in, new BufferedOutputStream(out, BUFFER_BYTES),
                new PrintWriter(new OutputStreamWriter(err, StandardCharsets.UTF_8), true));
    }

    /** Standard output, which failures name. */
    private static final class StandardOutput extends OutputStream {
        private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                throw Failures.isClosedPipe(e) ? e : new IOException("cannot write standard output: " + e.getMessage(), e);
            }
        }
    }

    /** Writes JSON with those control characters as escapes that JSON allows and a terminal obeys. */
    private static final class JsonText extends FilterWriter {
        JsonText(Writer out) {
            super(out);
        }

        @Override
        public void write(int c) throws IOException {
            if (c >= 0x7f && c <= 0x9f) {
                out.write("\\u00" + Integer.toHexString(c));
            } else {
                out.write(c);
            }
        }

        @Override
        public void write(char[] text, int offset, int length) throws IOException {
            for (int i = offset; i < offset + length; i++) {
                write(text[i]);
            }
        }

        @Override
        public void write(String text, int offset, int length) throws IOException {
            for (int i = offset; i < offset + length; i++) {
                write(text.charAt(i));
            }
        }
    }

    /** A writer of JSON on {@link #out}. Flush it, but do not close it. */
    Writer writer() {
        return new JsonText(new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8)));
    }

    /** Writes {@code text} to standard output and flushes it. */
    void print(CharSequence text) throws IOException {
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    /** Writes what a model says, and flushes it. On a terminal, see {@link #onTerminal}; a file or a pipe gets all of it. */
    void printSaid(CharSequence text) throws IOException {
        print(areOfProcess() && Screen.IS_TERMINAL ? onTerminal(text) : text);
    }

    /** A text with control characters as escapes, but ends of lines and tabs: what a model says commands no terminal. */
    static CharSequence onTerminal(CharSequence text) {
        if (text.chars().noneMatch(Streams::commands)) {
            return text;
        }
        var shown = new StringBuilder();
        text.chars().forEach(c -> {
            String one = String.valueOf((char) c);
            shown.append(commands(c) ? Excerpt.visible(one) : one);
        });
        return shown;
    }

    private static boolean commands(int c) {
        return Character.isISOControl(c) && c != '\n' && c != '\t';
    }

    /** Asked for once, by who prints what a model says. */
    private static final class Screen {
        static final boolean IS_TERMINAL = Terminal.isStandardOutput();
    }
}
