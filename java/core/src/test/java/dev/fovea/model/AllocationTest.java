package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The token path makes no garbage once it is warm; on the Vector API that is up to the JIT, and not promised. */
class AllocationTest {
    private static final int WARM_UP = 20_000;
    private static final int CALLS = 1_000;

    @TempDir
    private Path directory;

    private static Stream<Arguments> backends() {
        return Stream.of(Backend.NATIVE, Backend.JAVA)
                .flatMap(backend -> Stream.of(WeightType.F32, WeightType.BF16, WeightType.INT8).map(weights -> Arguments.of(backend, weights)));
    }

    @ParameterizedTest
    @MethodSource("backends")
    @Tag("slow")
    void shouldEncodeTokenIdsWithoutHeapAllocation(Backend backend, WeightType weights) throws Exception {
        new TinyModel(1).write(directory);
        EngineOptions engine = EngineOptions.defaults().withBackend(backend).withThreads(1);
        var options = EncoderOptions.defaults().withEngineOptions(engine).withWeights(weights);
        try (var encoder = TextEncoder.load(directory, options);
                var session = encoder.newSession();
                Arena arena = Arena.ofConfined()) {
            MemorySegment ids = arena.allocateFrom(ValueLayout.JAVA_INT, 2, 7, 3, 2, 8, 9, 3);
            MemorySegment offsets = arena.allocateFrom(ValueLayout.JAVA_INT, 0, 3, 7);
            MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, 2L * encoder.dimension());
            for (int i = 0; i < WARM_UP; i++) {
                session.encode(ids, offsets, out);
            }
            var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            threads.getCurrentThreadAllocatedBytes();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                session.encode(ids, offsets, out);
            }
            assertEquals(0, threads.getCurrentThreadAllocatedBytes() - before, CALLS + " calls");
        }
    }

    /** A call makes objects, but as many for many documents as for few, and one array of scores. */
    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    @Tag("slow")
    void shouldScoreDocumentsWithoutHeapAllocationForEach(Backend backend) throws Exception {
        TinyModel tiny = new TinyModel(1);
        tiny.addScores();
        tiny.write(directory);
        EngineOptions engine = EngineOptions.defaults().withBackend(backend).withThreads(1);
        try (var reranker = Reranker.load(directory, EncoderOptions.defaults().withEngineOptions(engine))) {
            List<String> few = documents(8);
            List<String> many = documents(408); // of which several batches are made
            for (int i = 0; i < WARM_UP / 100; i++) {
                reranker.score("w1 w2", few);
                reranker.score("w1 w2", many);
            }
            long more = allocated(reranker, many) - allocated(reranker, few);
            assertEquals(400L * Float.BYTES, more);
        }
    }

    private static List<String> documents(int count) {
        return IntStream.range(0, count).mapToObj(i -> "w" + i % 40 + " w3".repeat(i % 13)).toList();
    }

    /** What a call allocates at least: compilers may not be done with all of its code. */
    private static long allocated(Reranker reranker, List<String> documents) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 20; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            reranker.score("w1 w2", documents);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
