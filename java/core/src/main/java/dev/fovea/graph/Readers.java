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
        stages.forEach(stage -> stage.inputs().forEach(readers::add));
        outputs.forEach(readers::add);
        return readers;
    }

    int count(Value value) {
        return counts.getOrDefault(value, 0);
    }

    private void add(Value value) {
        counts.merge(value, 1, Integer::sum);
    }
}
