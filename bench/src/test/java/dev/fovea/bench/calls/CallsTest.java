package dev.fovea.bench.calls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way to call gives back what the callee computes. */
class CallsTest {
    static Stream<Arguments> calls() {
        List<Arguments> all = new ArrayList<>();
        EmptyCalls.SIDES.forEach(side -> all.add(call("empty, " + side, () -> EmptyCalls.open(side))));
        OpCalls.SIDES.forEach(side -> all.add(call("params, " + side, () -> OpCalls.open(side))));
        for (int floats : new int[] {0, 1, 15, 16, 64, 1000, 65_536}) {
            SumCalls.SIDES.forEach(
                    side -> all.add(call(floats + " floats, " + side, () -> SumCalls.open(side, floats))));
        }
        return all.stream();
    }

    private static Arguments call(String name, Supplier<Call> open) {
        return Arguments.of(name, open);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("calls")
    void shouldGiveBackWhatTheCalleeComputes(String name, Supplier<Call> open) throws Throwable {
        try (Call call = open.get()) {
            for (int i = 0; i < 3; i++) {
                float result = call.call();
                assertEquals(call.expected(), result, name);
            }
        }
    }
}
