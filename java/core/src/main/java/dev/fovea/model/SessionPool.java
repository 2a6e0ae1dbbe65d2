package dev.fovea.model;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Idle sessions, for callers that need one for a moment. Lock-free: a caller that finds none makes one, and one that
 * finds no room for its session closes it.
 */
final class SessionPool implements AutoCloseable {
    private final AtomicReferenceArray<EncoderSession> idle =
            new AtomicReferenceArray<>(Math.max(8, 2 * Runtime.getRuntime().availableProcessors()));
    private final Supplier<EncoderSession> factory;

    SessionPool(Supplier<EncoderSession> factory) {
        this.factory = factory;
    }

    /** A session that is the caller's until {@link #give}. */
    EncoderSession take() {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) != null) {
                EncoderSession session = idle.getAndSet(i, null);
                if (session != null) {
                    return session;
                }
            }
        }
        return factory.get();
    }

    /** Takes a session back. */
    void give(EncoderSession session) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.getPlain(i) == null && idle.compareAndSet(i, null, session)) {
                return;
            }
        }
        session.close();
    }

    /** Closes the idle sessions. No one may take or give any more. */
    @Override
    public void close() {
        for (int i = 0; i < idle.length(); i++) {
            EncoderSession session = idle.getAndSet(i, null);
            if (session != null) {
                session.close();
            }
        }
    }
}
