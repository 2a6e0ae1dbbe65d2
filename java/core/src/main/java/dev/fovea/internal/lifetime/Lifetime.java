package dev.fovea.internal.lifetime;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The life of something that is used and closed from several threads: whoever uses it enters and exits,
 * closing lets no one in any more, and the last one out frees.
 *
 * <p>So nothing is freed under a user's feet and no one waits: there is no lock, only one compare-and-set
 * each way, and no allocation.
 */
public final class Lifetime implements AutoCloseable {
    private static final int CLOSED = 1 << 31;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Lifetime.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final Runnable free;

    /** The number of users inside; with {@link #CLOSED} set, no more get in. */
    private volatile int state;

    /**
     * An open life.
     *
     * @param name what error messages call it, such as {@code "plan"}
     * @param free run once, by whoever leaves last or closes while no one is inside
     */
    public Lifetime(String name, Runnable free) {
        this.name = name;
        this.free = free;
    }

    /**
     * Lets the caller in, beside any number of others. A call of {@link #exit} must follow.
     *
     * @throws IllegalStateException if closed
     */
    public void enter() {
        int users;
        do {
            users = state;
            if (users < 0) {
                throw closed();
            }
        } while (!STATE.compareAndSet(this, users, users + 1));
    }

    /**
     * Lets the caller in if no one else is inside. A call of {@link #exit} must follow.
     *
     * @throws IllegalStateException if closed, or if someone is inside
     */
    public void enterAlone() {
        if (!STATE.compareAndSet(this, 0, 1)) {
            throw isClosed() ? closed() : new IllegalStateException(name + " is in use by another thread");
        }
    }

    /** Lets the caller out, and frees if it was closed meanwhile and no one else is inside. */
    public void exit() {
        if ((int) STATE.getAndAdd(this, -1) - 1 == CLOSED) {
            free.run();
        }
    }

    /** Whether {@link #close} has been called. */
    public boolean isClosed() {
        return state < 0;
    }

    /**
     * Fails if closed, without entering.
     *
     * @throws IllegalStateException if closed
     */
    public void requireOpen() {
        if (isClosed()) {
            throw closed();
        }
    }

    /** Lets no one in any more and frees, at once or when the last user leaves. Idempotent; never waits. */
    @Override
    public void close() {
        if ((int) STATE.getAndBitwiseOr(this, CLOSED) == 0) {
            free.run();
        }
    }

    /**
     * Closes if no one is inside; does nothing if closed already.
     *
     * @throws IllegalStateException if someone is inside; it stays open
     */
    public void closeIfIdle() {
        int before = (int) STATE.compareAndExchange(this, 0, CLOSED);
        if (before == 0) {
            free.run();
        } else if (before > 0) {
            throw new IllegalStateException("the " + name + " has " + before + " calls running");
        }
    }

    private IllegalStateException closed() {
        return new IllegalStateException(name + " is closed");
    }
}
