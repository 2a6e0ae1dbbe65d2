package dev.fovea.internal.backend;

/** Who wants to hear how far the packing of weights is, which is most of the time that a large model takes to load. */
public final class PackingProgress {
    /** Hears of bytes that are packed, of all of a plan. */
    @FunctionalInterface
    public interface Listener {
        /** So many are done. */
        void at(long done, long total);
    }

    /** The listener of the thread that loads. */
    public static final ScopedValue<Listener> LISTENER = ScopedValue.newInstance();

    private PackingProgress() {}

    /** Tells the listener, if there is one. */
    public static void report(long done, long total) {
        if (LISTENER.isBound()) {
            LISTENER.get().at(done, total);
        }
    }
}
