package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionPoolTest {
    private final List<String> closed = new ArrayList<>();
    private final List<String> used = new ArrayList<>();
    private int made;
    private final SessionPool<String> pool = new SessionPool<>(() -> "session " + ++made, closed::add);

    @Test
    void shouldGiveASessionToOneCallAfterAnother() {
        pool.run(used::add);
        assertThrows(IllegalStateException.class, () -> pool.run(_ -> {
            throw new IllegalStateException();
        }));
        pool.run(used::add);
        assertEquals(List.of("session 1", "session 1"), used);
        pool.run(outer -> pool.run(used::add));
        assertEquals("session 2", used.getLast());
        pool.close();
        assertEquals(List.of("session 2", "session 1"), closed.stream().sorted().toList().reversed());
    }

    @Test
    void shouldGiveNoOneASessionInWhichAnErrorOccurred() {
        assertThrows(StackOverflowError.class, () -> pool.run(_ -> {
            throw new StackOverflowError();
        }));
        assertEquals(List.of("session 1"), closed);
        pool.run(used::add);
        assertEquals(List.of("session 2"), used);
    }
}
