package dev.fovea.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How many times each value is read, by stages and by the caller of the session. */
final class Readers {
    private final Map<Value, Integer> counts = new HashMap<>();

    private Readers() {}

    static Readers of(List<Stage> stages, List<Value> outputs) {
        var readers = new Readers();
        for (Stage stage : stages) {
            readers.addAll(stage.inputs());
        }
        readers.addAll(outputs);
        return readers;
    }

    int count(Value value) {
        return counts.getOrDefault(value, 0);
    }

    private void addAll(List<Value> values) {
        for (Value value : values) {
            counts.put(value, count(value) + 1);
        }
    }
}
