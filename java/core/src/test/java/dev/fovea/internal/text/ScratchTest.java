package dev.fovea.internal.text;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.ObjIntConsumer;
import org.junit.jupiter.api.Test;

class ScratchTest {
    private static final int MANY = (1 << 20) + 1;

    /** Also where a text ends in an error on the way, so that no one knows yet how long it is. */
    @Test
    void shouldNotBeKeptOnceAnyPartIsLarge() {
        assertTrue(new Scratch().isKept());
        assertLarge((scratch, i) -> scratch.text.put(i, -1));
        assertLarge((scratch, i) -> scratch.piece.put(i, -1));
        assertLarge((scratch, i) -> scratch.part.put(i, -1));
        assertLarge((scratch, i) -> scratch.changes.add(i, 0));
        assertLarge((scratch, i) -> scratch.symbols.add(i, 1));
        assertLarge((scratch, i) -> scratch.tokens.add(i, scratch.text, 0, 1));
    }

    private static void assertLarge(ObjIntConsumer<Scratch> add) {
        Scratch scratch = new Scratch();
        for (int i = 0; i < MANY; i++) {
            add.accept(scratch, i);
        }
        assertFalse(scratch.isKept());
    }
}
