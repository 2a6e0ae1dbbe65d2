package dev.fovea.model;

import dev.fovea.EngineOptions;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Encodes a text in a process of its own and prints the backend and a hash of the vector, or the failure. */
final class ContainerProbe {
    private static final int RLIMIT_AS = 9;

    private ContainerProbe() {}

    /** With the argument {@code address space} or {@code files}, of which next to nothing is left then. */
    public static void main(String[] arguments) throws Throwable {
        if (arguments.length > 0) {
            encode();
            // What a failing load needs of the JVM's own.
            String cache = System.setProperty("fovea.cache", "/proc/fovea");
            encode();
            System.setProperty("fovea.cache", cache);
            // What that kept in memory goes when it is collected.
            System.gc();
            Thread.sleep(500);
            List<FileInputStream> open = arguments[0].equals("files") ? takeFiles() : limitAddressSpace();
            String found = encode();
            for (FileInputStream file : open) {
                file.close();
            }
            System.out.println(found);
            return;
        }
        System.out.println(encode());
    }

    private static String encode() {
        try (TextEncoder encoder = TextEncoder.load("all-minilm-l6-v2",
                EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1)))) {
            return encoder.engine().backend() + " " + Arrays.hashCode(encoder.encode("How do I reset my password?"));
        } catch (Throwable e) {
            return e.toString();
        }
    }

    private static List<FileInputStream> takeFiles() throws IOException {
        List<FileInputStream> open = new ArrayList<>();
        try {
            while (true) {
                open.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException e) {
            return open;
        }
    }

    private static List<FileInputStream> limitAddressSpace() throws Throwable {
        long now = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmSize:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum() * 1024;
        Linker linker = Linker.nativeLinker();
        var limit = linker.downcallHandle(linker.defaultLookup().findOrThrow("setrlimit"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try (Arena call = Arena.ofConfined()) {
            long most = now + (40L << 20);
            MemorySegment both = call.allocateFrom(ValueLayout.JAVA_LONG, most, most);
            if ((int) limit.invokeExact(RLIMIT_AS, both) != 0) {
                throw new AssertionError("setrlimit failed");
            }
        }
        return List.of();
    }
}
