package dev.fovea;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The backend CUDA on a machine without a GPU: the library with a double of the driver, which runs the kernels under
 * emulation; {@code native/test/cuda/emulated.h} says what it can be told. There is one in a process, and so one test at
 * a time may change it.
 *
 * <p>{@code -Dfovea.cuda.emulated=DIR} names where both libraries are, instead of the build of the C core.
 */
public final class EmulatedGpu {
    /** Settings and counters of {@code emulated.h}. */
    public static final int DRIVER_VERSION = 0;
    public static final int DEVICES = 1;
    public static final int COMPUTE_CAPABILITY = 2;
    public static final int MEMORY_BYTES = 4;
    public static final int LOSE_AT_KERNEL = 6;
    public static final int LIVE_CONTEXTS = 0;
    public static final int LIVE_MODULES = 1;
    public static final int LIVE_HOST_ALLOCATIONS = 7;
    public static final int LIVE_BYTES = 6;
    public static final int CALLS = 8;
    public static final int GRAPH_LAUNCHES = 10;
    public static final int MISUSES = 11;

    /** What the driver answers. */
    public static final int CUDA_ERROR_OUT_OF_MEMORY = 2;

    private static final String DRIVER_PROPERTY = "fovea.cuda.driver";
    private static final String LIBRARY_PROPERTY = "fovea.cuda.path";
    private static final Path ROOT = Path.of(System.getProperty("fovea.cuda.emulated", "../../native/target/cmake"));
    private static final Path DRIVER = find("libcuda_emulated.so", null);
    private static final Path LIBRARY = DRIVER == null ? null : find("libfovea_cuda.so", DRIVER.getParent());

    private EmulatedGpu() {}

    private static Path find(String name, Path preferred) {
        if (!Files.isDirectory(ROOT)) {
            return null;
        }
        try (var files = Files.walk(ROOT, 6)) {
            List<Path> found = files.filter(file -> file.endsWith(name)).map(Path::toAbsolutePath).sorted().toList();
            return found.stream().filter(file -> file.getParent().equals(preferred)).findFirst()
                    .orElse(found.isEmpty() ? null : found.getFirst());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether the libraries are there. */
    public static boolean isThere() {
        return DRIVER != null && LIBRARY != null;
    }

    /** Skips the test where they are not. */
    public static void require() {
        assumeTrue(isThere(), "no emulated GPU in " + ROOT.toAbsolutePath().normalize()
                + ": this build of the C core has no emulation");
    }

    /** The JVM options of a process that is to use it. */
    public static List<String> options() {
        return List.of("-D" + DRIVER_PROPERTY + "=" + DRIVER, "-D" + LIBRARY_PROPERTY + "=" + LIBRARY.getParent());
    }

    /** An engine on it, which the caller closes. */
    public static Engine engine() {
        return engine(EngineOptions.defaults());
    }

    /** An engine on it with these options. */
    public static Engine engine(EngineOptions options) {
        return with(DRIVER.toString(), () -> Engine.create(options.withBackend(Backend.CUDA)));
    }

    /** Runs {@code action} while the backend CUDA takes its driver from {@code driver}. */
    public static <T> T with(String driver, Supplier<T> action) {
        System.setProperty(DRIVER_PROPERTY, driver);
        System.setProperty(LIBRARY_PROPERTY, LIBRARY.getParent().toString());
        try {
            return action.get();
        } finally {
            System.clearProperty(DRIVER_PROPERTY);
            System.clearProperty(LIBRARY_PROPERTY);
        }
    }

    /** Where the double of the driver is. */
    public static String driver() {
        return DRIVER.toString();
    }

    /** As it was made; see {@code emulated_reset}. */
    public static void reset() {
        call("emulated_reset", FunctionDescriptor.ofVoid());
    }

    public static void set(int setting, long value) {
        call("emulated_set", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG), setting, value);
    }

    public static long get(int counter) {
        return (long) call("emulated_get", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT), counter);
    }

    /** The n-th call from now on, 1 for the next, of a function of the driver fails; of any if that is null. */
    public static void fail(String function, int n, int result) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment name = function == null ? MemorySegment.NULL : call.allocateFrom(function);
            call("emulated_fail", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT), name, n, result);
        }
    }

    /** The functions of the driver that were called since the reset, in order. */
    public static List<String> calls() {
        var log = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
        try (Arena call = Arena.ofConfined()) {
            long length = (long) call("emulated_log", log, MemorySegment.NULL, 0L);
            MemorySegment text = call.allocate(length + 1);
            call("emulated_log", log, text, length + 1);
            return text.getString(0).lines().map(line -> line.substring(0, line.indexOf(' '))).toList();
        }
    }

    /** The first misuse of the driver since the reset, or null. */
    public static String misuse() {
        var text = (MemorySegment) call("emulated_misuse", FunctionDescriptor.of(ValueLayout.ADDRESS));
        return text.address() == 0 ? null : text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** Counters of all that is alive. */
    public static List<Long> alive() {
        return IntStream.rangeClosed(LIVE_CONTEXTS, LIVE_HOST_ALLOCATIONS)
                .mapToObj(EmulatedGpu::get).toList();
    }

    private static Object call(String function, FunctionDescriptor type, Object... arguments) {
        SymbolLookup symbols = SymbolLookup.libraryLookup(DRIVER, Arena.global());
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), type);
        try {
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(function, e);
        }
    }
}
