package dev.fovea.internal.lifetime;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Owns what lives and dies together: off-heap memory, and other things that must be closed. Used and closed from
 * several threads, as a {@link Lifetime} is: nothing is freed under a user's feet.
 *
 * <p>An object that owns something is made by {@link #create}, which frees everything again where that fails.
 */
public final class Owner implements AutoCloseable {
    /** Makes an object that holds its owner. */
    public interface Maker<T, E extends Exception> {
        /** The object; what it opens, {@code owner} owns. */
        T make(Owner owner) throws E;
    }

    private final String name;
    private final Lifetime lifetime;

    /** What to close, last opened first. */
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    private Arena arena;

    private Owner(String name) {
        this.name = name;
        this.lifetime = new Lifetime(name, this::free);
    }

    /** Makes an object that owns things; {@code name} is what error messages call it, such as {@code "plan"}. */
    public static <T, E extends Exception> T create(String name, Maker<T, E> maker) throws E {
        var owner = new Owner(name);
        try {
            return maker.make(owner);
        } catch (Throwable e) {
            try {
                owner.close();
            } catch (IllegalStateException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    /** Memory that lives as long as this. */
    public synchronized Arena arena() {
        if (arena == null) {
            arena = Arena.ofShared();
            owned.push(arena::close);
        }
        return arena;
    }

    /** Closes {@code resource} with this, before what was opened earlier. */
    public synchronized <T extends AutoCloseable> T own(T resource) {
        owned.push(resource);
        return resource;
    }

    /** See {@link Lifetime#enter}. */
    public void enter() {
        lifetime.enter();
    }

    /** See {@link Lifetime#enterAlone}. */
    public void enterAlone() {
        lifetime.enterAlone();
    }

    /** See {@link Lifetime#exit}. */
    public void exit() {
        lifetime.exit();
    }

    /** See {@link Lifetime#requireOpen}. */
    public void requireOpen() {
        lifetime.requireOpen();
    }

    /** Lets no one in any more and frees, at once or when the last user leaves. Idempotent; never waits. */
    @Override
    public void close() {
        lifetime.close();
    }

    /**
     * Closes if no one is inside.
     *
     * @throws IllegalStateException if someone is
     */
    public void closeIfIdle() {
        lifetime.closeIfIdle();
    }

    private synchronized void free() {
        IllegalStateException failure = null;
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                failure = failure != null ? failure : new IllegalStateException(name + " could not be freed");
                failure.addSuppressed(e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
