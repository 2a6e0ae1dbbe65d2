package dev.fovea.graph;

import dev.fovea.ops.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where each value lies in a session's workspace.
 *
 * <p>A value lives from the stage that yields it to the last one that reads it, an output of the graph to the
 * end. Values whose lives do not meet may share memory: a stage that may work in place takes over the buffer
 * of an input that dies there; then, largest first, each buffer takes the lowest offset that is free for the
 * whole of its life. Offsets count floats per row, so that one plan serves any number of rows:
 *
 * <pre>
 *   byte 0                              byte 4 · tokenFloats · maxTokens
 *   | buffers with a row per token      | buffers with a row per sequence
 *   | each at 4 · offset · maxTokens    | each at 4 · offset · maxSequences past this border
 * </pre>
 */
final class MemoryPlan {
    /** Offsets are multiples of it, so that buffers begin at 64 bytes whatever the number of rows. */
    private static final int ALIGNMENT_FLOATS = 16;

    /**
     * Memory that one or more values hold, one after the other, from stage {@code first} to stage {@code last}.
     *
     * @param columns floats from one row to the next
     * @param offset floats per row in front of it
     */
    record Buffer(Rows rows, int columns, int first, int last, long offset) {
        /** Floats per row up to its end. */
        long end() {
            return offset + Math.ceilDiv(columns, ALIGNMENT_FLOATS) * (long) ALIGNMENT_FLOATS;
        }

        private boolean meets(Buffer other) {
            return rows == other.rows && first <= other.last && other.first <= last;
        }

        private Buffer aliveUntil(int stage) {
            return new Buffer(rows, columns, first, Math.max(last, stage), offset);
        }

        private Buffer at(long newOffset) {
            return new Buffer(rows, columns, first, last, newOffset);
        }
    }

    /** A value's columns within a buffer. */
    record Place(int buffer, int firstColumn) {}

    private final Map<Value, Place> places = new HashMap<>();
    private final List<Buffer> buffers = new ArrayList<>();

    private MemoryPlan() {}

    static MemoryPlan of(List<Stage> stages, List<Value> outputs) {
        var plan = new MemoryPlan();
        Map<Value, Integer> lastReads = lastReads(stages, outputs);
        for (int i = 0; i < stages.size(); i++) {
            plan.add(stages.get(i), i, lastReads);
        }
        plan.assignOffsets();
        return plan;
    }

    private static Map<Value, Integer> lastReads(List<Stage> stages, List<Value> outputs) {
        Map<Value, Integer> lastReads = new HashMap<>();
        for (int i = 0; i < stages.size(); i++) {
            for (Value input : stages.get(i).inputs()) {
                lastReads.put(input, i);
            }
        }
        for (Value output : outputs) {
            lastReads.put(output, stages.size());
        }
        return lastReads;
    }

    /** Gives the values of a stage their places: in the buffer of an input that dies here, or in a new one. */
    private void add(Stage stage, int index, Map<Value, Integer> lastReads) {
        Value head = stage.output();
        int last = index;
        for (Value output : stage.outputs()) {
            last = Math.max(last, lastReads.getOrDefault(output, index));
        }
        if (stage instanceof Stage.Single(Op.Append append, Value output)) {
            Place place = places.get(append.k());
            buffers.set(place.buffer(), buffers.get(place.buffer()).aliveUntil(last));
            places.put(output, place);
            return;
        }
        for (Value input : stage.replaceable()) {
            Place place = places.get(input);
            if (lastReads.get(input) == index && buffers.get(place.buffer()).columns() == head.columns()) {
                buffers.set(place.buffer(), buffers.get(place.buffer()).aliveUntil(last));
                places.put(head, place);
                return;
            }
        }
        int columns = 0;
        for (Value output : stage.outputs()) {
            places.put(output, new Place(buffers.size(), columns));
            columns = Math.addExact(columns, output.columns());
        }
        buffers.add(new Buffer(head.rows(), columns, index, last, 0));
    }

    private void assignOffsets() {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < buffers.size(); i++) {
            order.add(i);
        }
        order.sort((a, b) -> Integer.compare(buffers.get(b).columns(), buffers.get(a).columns()));
        List<Buffer> placed = new ArrayList<>();
        for (int i : order) {
            Buffer buffer = buffers.get(i).at(firstFit(buffers.get(i), placed));
            placed.add(buffer);
            buffers.set(i, buffer);
        }
    }

    private static long firstFit(Buffer buffer, List<Buffer> placed) {
        long offset = 0;
        List<Buffer> neighbours = new ArrayList<>();
        for (Buffer other : placed) {
            if (buffer.meets(other)) {
                neighbours.add(other);
            }
        }
        neighbours.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        for (Buffer neighbour : neighbours) {
            if (buffer.at(offset).end() <= neighbour.offset()) {
                break;
            }
            offset = Math.max(offset, neighbour.end());
        }
        return offset;
    }

    /** The buffer that holds {@code value} while it lives. */
    Buffer buffer(Value value) {
        return buffers.get(places.get(value).buffer());
    }

    /** The column of its buffer at which {@code value} begins. */
    int firstColumn(Value value) {
        return places.get(value).firstColumn();
    }

    /** Floats of the workspace per row of this kind. */
    long floatsPerRow(Rows rows) {
        long floats = 0;
        for (Buffer buffer : buffers) {
            floats = buffer.rows() == rows ? Math.max(floats, buffer.end()) : floats;
        }
        return floats;
    }

    /** Floats per row of this kind if no buffer shared memory with another. */
    long unsharedFloatsPerRow(Rows rows) {
        return buffers.stream()
                .filter(buffer -> buffer.rows() == rows)
                .mapToLong(buffer -> buffer.end() - buffer.offset())
                .sum();
    }
}
