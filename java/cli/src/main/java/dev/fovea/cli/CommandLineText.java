package dev.fovea.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The arguments as they were given. The JVM decodes them by the locale; where that is {@code C}, or none, or one that
 * is not installed, it knows ASCII only and puts U+FFFD for every other byte. They are then read again from the process,
 * as UTF-8.
 */
final class CommandLineText {
    private static final char LOST = '\uFFFD';
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    private CommandLineText() {}

    /** The arguments of this process. */
    static String[] ofProcess(String... args) throws IOException {
        boolean utf8 = System.getProperty("sun.jnu.encoding", "").equalsIgnoreCase("UTF-8");
        return utf8 ? args : of(COMMAND_LINE, args);
    }

    /**
     * The arguments of a process whose command line is in {@code file}, each with a 0 behind it.
     *
     * @param args as the JVM decoded them
     * @throws IOException if characters are lost and cannot be had again
     */
    static String[] of(Path file, String... args) throws IOException {
        int first = 0;
        while (first < args.length && args[first].indexOf(LOST) < 0) {
            first++;
        }
        if (first == args.length) {
            return args;
        }
        List<byte[]> given = Files.isReadable(file) ? split(Files.readAllBytes(file)) : List.of();
        String[] decoded = args.clone();
        for (int i = 0; i < args.length && given.size() >= args.length; i++) {
            byte[] bytes = given.get(given.size() - args.length + i);
            decoded[i] = isSame(args[i], bytes) ? decode(i, bytes) : args[i];
        }
        for (int i = 0; i < args.length; i++) {
            if (decoded[i].indexOf(LOST) >= 0 && decoded[i].equals(args[i])) {
                throw lost(i);
            }
        }
        return decoded;
    }

    private static String decode(int index, byte[] bytes) throws IOException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IOException("argument " + (index + 1) + " is not valid UTF-8", e);
        }
    }

    /** Whether the JVM can have made this argument of these bytes: one character of each. */
    private static boolean isSame(String arg, byte[] bytes) {
        boolean same = arg.length() == bytes.length;
        for (int i = 0; same && i < bytes.length; i++) {
            same = arg.charAt(i) == (bytes[i] < 0 ? LOST : bytes[i]);
        }
        return same;
    }

    private static IOException lost(int index) {
        return new IOException("argument " + (index + 1) + " has characters that the locale does not know, and they are"
                + " lost; set LC_ALL=C.UTF-8, or give texts with --input");
    }

    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> parts = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                parts.add(Arrays.copyOfRange(bytes, start, i));
                start = i + 1;
            }
        }
        return parts;
    }
}
