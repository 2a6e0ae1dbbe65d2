package dev.fovea.internal.cpu;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import org.junit.jupiter.api.Test;

/** Callers of an engine share its threads, or each computes alone. */
class NativeEngineTest {
    private static NativeEngine engine(int threads) {
        return (NativeEngine) Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(threads));
    }

    @Test
    void shouldLetEachCallerComputeAloneWhenTogetherTheyFillMoreThanHalfOfTheThreads() throws Exception {
        try (NativeEngine engine = engine(4)) {
            engine.runBegins();
            assertSame(engine.shared(), engine.handle());
            engine.runBegins();
            assertSame(engine.shared(), engine.handle());
            engine.runBegins();
            assertNotEquals(engine.shared(), engine.handle());
            engine.runEnded();
            assertNotEquals(engine.shared(), engine.handle(), "the third may only be between two runs");
            for (int i = 0; i < 1000 && engine.handle() != engine.shared(); i++) {
                Thread.sleep(1);
            }
            assertSame(engine.shared(), engine.handle());
            engine.runEnded();
            assertSame(engine.shared(), engine.handle());
        }
    }

    @Test
    void shouldGiveALoneCallerAllThreads() {
        try (NativeEngine one = engine(1); NativeEngine two = engine(2)) {
            two.runBegins();
            assertSame(two.shared(), two.handle());
            two.runBegins();
            assertNotEquals(two.shared(), two.handle());
            one.runBegins();
            one.runBegins();
            assertSame(one.shared(), one.handle());
        }
    }
}
