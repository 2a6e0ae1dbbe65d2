package dev.fovea.vectors;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.HeapAllocation;
import dev.fovea.ops.Similarity;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A search into memory of the caller's makes no garbage once it is warm, whatever number of queries it has. */
class VectorSearchAllocationTest {
    private static final int WARM_UP = 20_000;
    private static final int CALLS = 1_000;
    private static final int DIMENSION = 24;

    private static Stream<Arguments> kinds() {
        return Stream.of(Backend.NATIVE, Backend.JAVA).flatMap(backend -> Stream.of(VectorType.values())
                .flatMap(type -> Stream.of(Similarity.DOT, Similarity.COSINE)
                        .map(similarity -> Arguments.of(backend, type, similarity))));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldSearchWithoutHeapAllocation(Backend backend, VectorType type, Similarity similarity) {
        EngineOptions options = EngineOptions.defaults().withBackend(backend).withThreads(1);
        try (Engine engine = Engine.create(options); Arena arena = Arena.ofConfined()) {
            var vectors = VectorRows.of(arena.allocate(30 * type.bytes(DIMENSION), 64), type, DIMENSION);
            MemorySegment queries = arena.allocate(3 * type.bytes(DIMENSION), 64);
            MemorySegment rows = arena.allocate(JAVA_INT, 3 * 5L);
            MemorySegment scores = arena.allocate(JAVA_FLOAT, 3 * 5L);
            try (var search = VectorSearch.create(engine, vectors, similarity)) {
                HeapAllocation.requireNone(WARM_UP, CALLS, () -> {
                    search.nearest(1, queries, 5, rows, scores);
                    search.nearest(3, queries, 4, rows, scores);
                });
            }
        }
    }
}
