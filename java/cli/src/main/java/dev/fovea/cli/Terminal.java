package dev.fovea.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Map;

/** Asks the C library about terminals, since {@link java.io.Console} does not cover standard error. */
final class Terminal {
    private static final int STANDARD_INPUT = 0;
    private static final int STANDARD_OUTPUT = 1;
    private static final int STANDARD_ERROR = 2;
    private static final int DEFAULT_COLUMNS = 80;

    private Terminal() {}

    /** Whether standard output is one. */
    static boolean isStandardOutput() {
        return isTerminal(STANDARD_OUTPUT);
    }

    /** Whether standard error is one. */
    static boolean isStandardError() {
        return isTerminal(STANDARD_ERROR);
    }

    /** Whether somebody types and reads, on whatever terminal. */
    static boolean isTyped() {
        return isTerminal(STANDARD_INPUT) && isTerminal(STANDARD_OUTPUT);
    }

    /** Whether somebody types and reads: standard input and output are terminals that can move a cursor. */
    static boolean isInteractive(Map<String, String> environment) {
        return isTyped() && !environment.getOrDefault("TERM", "dumb").equals("dumb");
    }

    /** Whether to colour standard output: where it is a terminal that knows colours, unless NO_COLOR says not to. */
    static boolean isColored(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && isTerminal(STANDARD_OUTPUT);
    }

    /** The width of standard output: that of COLUMNS, else the terminal's, else 80. */
    static int columns(Map<String, String> environment) {
        try {
            int columns = Integer.parseInt(environment.getOrDefault("COLUMNS", ""));
            if (columns > 0) {
                return columns;
            }
        } catch (NumberFormatException _) {
            // Then COLUMNS says nothing.
        }
        return isTerminal(STANDARD_OUTPUT) ? windowColumns() : DEFAULT_COLUMNS;
    }

    /** The columns of standard output's window, by the ioctl TIOCGWINSZ on {@code struct winsize}. */
    private static int windowColumns() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        long request = os.contains("linux") ? 0x5413 : os.contains("mac") ? 0x40087468 : 0;
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup().find("ioctl").orElse(null);
        if (request == 0 || function == null) {
            return DEFAULT_COLUMNS;
        }
        MethodHandle ioctl = handle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.ADDRESS), Linker.Option.firstVariadicArg(2));
        if (ioctl == null) {
            return DEFAULT_COLUMNS;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rowsAndColumns = arena.allocate(ValueLayout.JAVA_SHORT, 4);
            int status = (int) ioctl.invokeExact(STANDARD_OUTPUT, request, rowsAndColumns);
            int columns = Short.toUnsignedInt(rowsAndColumns.getAtIndex(ValueLayout.JAVA_SHORT, 1));
            return status == 0 && columns > 0 ? columns : DEFAULT_COLUMNS;
        } catch (Throwable e) {
            throw new AssertionError("ioctl throws nothing", e);
        }
    }

    private static boolean isTerminal(int file) {
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup()
                .find("isatty")
                .or(() -> linker.defaultLookup().find("_isatty"))
                .orElse(null);
        if (function == null) {
            return false;
        }
        MethodHandle isatty = handle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        if (isatty == null) {
            return false;
        }
        try {
            return (int) isatty.invokeExact(file) != 0;
        } catch (Throwable e) {
            throw new AssertionError("isatty throws nothing", e);
        }
    }

    /** Null where the JVM denies native access: then nothing is known of a terminal. */
    private static MethodHandle handle(MemorySegment function, FunctionDescriptor descriptor, Linker.Option... options) {
        try {
            return Linker.nativeLinker().downcallHandle(function, descriptor, options);
        } catch (IllegalCallerException e) {
            return null;
        }
    }
}
