package dev.fovea.internal.lifetime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LifetimeTest {
    private final AtomicInteger frees = new AtomicInteger();
    private final Lifetime life = new Lifetime("thing", frees::incrementAndGet);

    @Test
    void shouldFreeAtOnceWhenNoOneIsInside() {
        life.close();
        assertEquals(1, frees.get());
        assertTrue(life.isClosed());
    }

    @Test
    void shouldFreeWhenTheLastUserLeaves() {
        life.enter();
        life.enter();
        life.close();
        life.exit();
        assertEquals(0, frees.get());
        life.exit();
        assertEquals(1, frees.get());
    }

    @Test
    void shouldFreeOnce() {
        life.enter();
        life.close();
        life.close();
        life.exit();
        life.close();
        assertEquals(1, frees.get());
    }

    @Test
    void shouldLetNoOneInAfterClose() {
        life.enter();
        life.close();
        assertEquals("thing is closed", assertThrows(IllegalStateException.class, life::enter).getMessage());
        assertEquals("thing is closed", assertThrows(IllegalStateException.class, life::enterAlone).getMessage());
        assertEquals("thing is closed", assertThrows(IllegalStateException.class, life::requireOpen).getMessage());
    }

    @Test
    void shouldLetInOneAloneAtATime() {
        life.enterAlone();
        assertEquals("thing is in use by another thread",
                assertThrows(IllegalStateException.class, life::enterAlone).getMessage());
        life.exit();
        life.enterAlone();
        life.exit();
        assertFalse(life.isClosed());
    }

    @Test
    @Tag("slow")
    void shouldNeverFreeUnderAUser() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            var freed = new AtomicInteger();
            var usedAfterFree = new AtomicInteger();
            var shared = new Lifetime("shared", freed::incrementAndGet);
            List<Thread> users = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                users.add(Thread.ofPlatform().start(() -> useUntilClosed(shared, freed, usedAfterFree)));
            }
            Thread.yield();
            shared.close();
            for (Thread user : users) {
                user.join();
            }
            assertEquals(1, freed.get());
            assertEquals(0, usedAfterFree.get());
        }
    }

    private static void useUntilClosed(Lifetime shared, AtomicInteger freed, AtomicInteger usedAfterFree) {
        while (true) {
            try {
                shared.enter();
            } catch (IllegalStateException closed) {
                return;
            }
            usedAfterFree.addAndGet(freed.get());
            shared.exit();
        }
    }
}
