package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    private static final int CAPACITY = 3;

    @Test
    void shouldNeverOverwriteAValueThatIsStillRead() {
        try (Arena arena = Arena.ofConfined()) {
            for (long seed = 0; seed < 500; seed++) {
                replay(RandomGraph.of(seed, arena), "seed " + seed);
            }
        }
    }

    @Test
    void shouldHoldTheMostThatIsAliveAtOnceInBert() {
        try (Arena arena = Arena.ofConfined()) {
            Graph graph = new Bert(6, 384, 12, 1536, 5, 5, Pooling.MEAN).graph(arena);
            var memory = MemoryPlan.of(Plan.stages(graph), graph.outputs());

            assertEquals(384 + 1536, memory.floatsPerRow(Rows.TOKENS));
            assertEquals(384, memory.floatsPerRow(Rows.SEQUENCES));
            assertTrue(memory.floatsPerRow(Rows.TOKENS) < 0.11 * memory.unsharedFloatsPerRow(Rows.TOKENS),
                    () -> "shared " + memory.floatsPerRow(Rows.TOKENS) + ", unshared "
                            + memory.unsharedFloatsPerRow(Rows.TOKENS));
        }
    }

    @Test
    void shouldNeedNoMoreForMoreLayers() {
        try (Arena arena = Arena.ofConfined()) {
            Graph one = new Bert(1, 32, 4, 64, 5, 5, null).graph(arena);
            Graph many = new Bert(9, 32, 4, 64, 5, 5, null).graph(arena);

            assertEquals(MemoryPlan.of(Plan.stages(one), one.outputs()).floatsPerRow(Rows.TOKENS),
                    MemoryPlan.of(Plan.stages(many), many.outputs()).floatsPerRow(Rows.TOKENS));
        }
    }

    @Test
    void shouldBeginBuffersAtCacheLines() {
        try (Arena arena = Arena.ofConfined()) {
            for (long seed = 0; seed < 50; seed++) {
                Graph graph = RandomGraph.of(seed, arena);
                List<Stage> stages = Plan.stages(graph);
                var memory = MemoryPlan.of(stages, graph.outputs());
                for (Stage stage : stages) {
                    assertEquals(0, memory.buffer(stage.output()).offset() * Float.BYTES % 64);
                }
            }
        }
    }

    /** Runs the stages on memory that remembers which value was last written to each float. */
    private static void replay(Graph graph, String label) {
        List<Stage> stages = Plan.stages(graph);
        var memory = MemoryPlan.of(stages, graph.outputs());
        Map<Long, Value> owners = new HashMap<>();
        for (Stage stage : stages) {
            for (Value input : stage.inputs()) {
                requireOwned(memory, owners, input, label + ", before " + stage.describe());
            }
            requireDisjoint(memory, stage, label);
            for (Value output : stage.outputs()) {
                cells(memory, output).forEach(cell -> owners.put(cell, output));
            }
        }
        graph.outputs().forEach(output -> requireOwned(memory, owners, output, label + ", at the end"));
    }

    private static void requireOwned(MemoryPlan memory, Map<Long, Value> owners, Value value, String label) {
        for (long cell : cells(memory, value)) {
            assertEquals(value, owners.get(cell), label);
        }
    }

    /** A stage writes over none of its inputs, but for one that it may replace, element for element. */
    private static void requireDisjoint(MemoryPlan memory, Stage stage, String label) {
        for (Value input : stage.inputs()) {
            List<Long> read = cells(memory, input);
            for (Value output : stage.outputs()) {
                List<Long> written = cells(memory, output);
                boolean replaced = stage.replaceable().contains(input) && read.equals(written);
                assertTrue(replaced || read.stream().noneMatch(written::contains),
                        () -> label + ": " + stage.describe() + " writes over " + input);
            }
        }
    }

    /** The floats of a value, row by row, in a workspace of {@link #CAPACITY} tokens and sequences. */
    private static List<Long> cells(MemoryPlan memory, Value value) {
        var buffer = memory.buffer(value);
        long region = value.rows() == Rows.TOKENS ? 0 : memory.floatsPerRow(Rows.TOKENS) * CAPACITY;
        List<Long> cells = new ArrayList<>();
        for (int row = 0; row < CAPACITY; row++) {
            for (int column = 0; column < value.columns(); column++) {
                long inRow = memory.firstColumn(value) + column;
                assertTrue(inRow < buffer.columns());
                cells.add(region + buffer.offset() * CAPACITY + (long) row * buffer.columns() + inRow);
            }
        }
        return cells;
    }
}
