package dev.fovea.bench.start;

import dev.fovea.bench.study.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** An application that wants one vector, with the jars of its side alone. {@link StartJob} starts it. */
public final class StartMain {
    static final String TEXT = "How do I reset my password?";
    static final String VECTOR = "vector ";
    static final String LOADED = "loaded ";
    static final String RESIDENT = "resident ";

    private static final Path STATUS = Path.of("/proc/self/status");

    private StartMain() {}

    /**
     * Prints, in this order: the first vector, the milliseconds that it took from within, and the process's memory.
     *
     * @param arguments side, and the model's directory
     */
    public static void main(String[] arguments) throws Exception {
        long before = System.nanoTime();
        ChildJvm.speak(() -> {
            float[] vector = firstVector(arguments[0], Path.of(arguments[1]));
            long after = System.nanoTime();
            System.out.println(VECTOR + Arrays.toString(vector));
            System.out.println(LOADED + (after - before) * 1e-6);
            if (Files.exists(STATUS)) {
                System.out.println(RESIDENT + megabytes());
            }
        });
    }

    private static float[] firstVector(String side, Path model) throws Exception {
        return switch (side) {
            case StartSuite.FOVEA -> FoveaStart.firstVector(TEXT);
            case StartSuite.ONNX_RUNTIME -> OnnxRuntimeStart.firstVector(TEXT, model);
            case StartSuite.LANGCHAIN4J -> LangChain4jStart.firstVector(TEXT);
            default -> throw new IllegalArgumentException("no side starts as " + side);
        };
    }

    /** What of the process is in memory. The kernel counts in units of 1024 bytes. */
    private static double megabytes() throws IOException {
        List<String> lines = Files.readAllLines(STATUS);
        String line = lines.stream().filter(text -> text.startsWith("VmRSS:")).findFirst().orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024e-6;
    }
}
