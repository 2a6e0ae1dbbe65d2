package dev.fovea.cli;

import com.google.gson.JsonParseException;
import dev.fovea.KernelException;
import dev.fovea.internal.files.Excerpt;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.regex.Pattern;
import picocli.CommandLine.ExitCode;

/** Says in one line why a command failed. */
final class Failures {
    private static final Pattern LINE_BREAKS = Pattern.compile("\\s*\\R\\s*");

    private static final int MAX_CHARS = 1000;

    private Failures() {}

    /**
     * Writes one line, and the stack trace if {@code verbose}. Writes nothing if the failure only means that the reader
     * closed the pipe.
     *
     * @return the exit status
     */
    static int report(Throwable failure, PrintWriter err, boolean verbose) {
        if (isClosedPipe(failure)) {
            return ExitCode.OK;
        }
        err.println("fovea: " + shortened(Excerpt.visible(message(failure))));
        if (verbose) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            trace.toString().lines().forEach(line -> err.println(indented(line)));
        }
        return ExitCode.SOFTWARE;
    }

    /** What a message may quote is long at times; its beginning and its end say most. */
    private static String shortened(String message) {
        return message.length() <= MAX_CHARS ? message
                : message.substring(0, MAX_CHARS * 3 / 4) + " … " + message.substring(message.length() - MAX_CHARS / 4);
    }

    private static String indented(String line) {
        return line.startsWith("\t") ? '\t' + indented(line.substring(1)) : Excerpt.visible(line);
    }

    /** {@code text} without line breaks and control characters, and shortened. */
    static String oneLine(String text) {
        return shortened(Excerpt.visible(LINE_BREAKS.matcher(text.strip()).replaceAll(" ")));
    }

    private static String message(Throwable failure) {
        return switch (failure) {
            case UncheckedIOException unchecked -> message(unchecked.getCause());
            case NoSuchFileException e -> "no such file or directory: " + e.getFile();
            case AccessDeniedException e -> "permission denied: " + e.getFile();
            case FileAlreadyExistsException e -> "already exists: " + e.getFile();
            case NotDirectoryException e -> "not a directory: " + e.getFile();
            case DirectoryNotEmptyException e -> "directory is not empty: " + e.getFile();
            case FileSystemException e when "Too many open files".equals(e.getReason()) ->
                    "too many open files, at " + e.getFile() + "; raise the limit (ulimit -n)";
            case FileSystemException e when e.getReason() != null && !e.getReason().isEmpty() ->
                    oneLine(Character.toLowerCase(e.getReason().charAt(0)) + e.getReason().substring(1) + ": " + e.getFile());
            case FileNotFoundException e when e.getMessage() != null -> "cannot open " + oneLine(e.getMessage());
            case InvalidPathException e -> "not a path: " + oneLine(e.getMessage());
            case OutOfMemoryError e when e.getMessage() != null && e.getMessage().contains("GPU") ->
                    "out of memory: " + oneLine(e.getMessage());
            case OutOfMemoryError e when e.getMessage() != null && e.getMessage().contains("native thread") ->
                    "the system refuses a further thread; raise its limit of processes (ulimit -u) or of memory";
            case OutOfMemoryError e ->
                    "out of memory (" + e.getMessage() + "); -Xmx in FOVEA_JAVA_OPTIONS sets the limit";
            default -> isExpected(failure) && failure.getMessage() != null
                    ? oneLine(failure.getMessage())
                    : "unexpected " + oneLine(failure.toString()) + " (--verbose shows where)";
        };
    }

    /** Whether the message of {@code failure} is written for users. */
    private static boolean isExpected(Throwable failure) {
        return failure instanceof IOException
                || failure instanceof IllegalArgumentException
                || failure instanceof UnsupportedOperationException
                || failure instanceof ArithmeticException
                || failure instanceof KernelException
                || failure instanceof JsonParseException;
    }

    /** Whether the reader of standard output has gone away. */
    static boolean isClosedPipe(Throwable failure) {
        String message = failure instanceof IOException ? failure.getMessage() : null;
        return message != null
                && (message.equals("Broken pipe")
                        || message.equals("The pipe is being closed")
                        || message.equals("The pipe has been ended"));
    }
}
