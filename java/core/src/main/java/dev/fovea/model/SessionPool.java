package dev.fovea.model;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Idle sessions, for callers that need one for a moment. Lock-free: a caller that finds none makes one, and one that
 * finds no room for its session closes it.
 *
 * @param <S> a session
 */
final class SessionPool<S> implements AutoCloseable {
    private final AtomicReferenceArray<S> idle =
            new AtomicReferenceArray<>(Math.max(8, 2 * Runtime.getRuntime().availableProcessors()));
    private final Supplier<S> factory;
    private final Consumer<S> closer;

    /** Sessions that {@code factory} makes and {@code closer} closes. */
    SessionPool(Supplier<S> factory, Consumer<S> closer) {
        this.factory = factory;
        this.closer = closer;
    }

    /** What a call does with a session, which is its own until it returns. */
    @FunctionalInterface
    interface Use<S> {
        /** Uses the session. */
        void of(S session);
    }

    /** Runs {@code use} on a session; see {@link #get}. */
    void run(Use<S> use) {
        get(session -> {
            use.of(session);
            return null;
        });
    }

    /**
     * What {@code use} gives on a session. One in which an {@link Error} occurs serves no one any more: a stack that
     * overflows may do so again in what was to leave the session in order.
     */
    <R> R get(Function<S, R> use) {
        S session = take();
        boolean sound = false;
        try {
            R result = use.apply(session);
            sound = true;
            return result;
        } catch (RuntimeException e) {
            sound = true;
            throw e;
        } finally {
            if (sound) {
                give(session);
            } else {
                closer.accept(session);
            }
        }
    }

    private S take() {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) != null) {
                S session = idle.getAndSet(i, null);
                if (session != null) {
                    return session;
                }
            }
        }
        return factory.get();
    }

    private void give(S session) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) == null && idle.compareAndSet(i, null, session)) {
                return;
            }
        }
        closer.accept(session);
    }

    /** Closes the idle sessions. No one may run any more. */
    @Override
    public void close() {
        for (int i = 0; i < idle.length(); i++) {
            S session = idle.getAndSet(i, null);
            if (session != null) {
                closer.accept(session);
            }
        }
    }
}
