package dev.fovea.bench.calls;

/**
 * One way to make a call. A JVM loads one class of these, so that the compiler sees through the interface: it costs a
 * comparison of classes, and every side alike.
 */
interface Call extends AutoCloseable {
    /** Makes it, and gives what came back. This is what is timed. */
    float call() throws Throwable;

    /** What should come back. */
    float expected();

    /** How it is made, for people. */
    String setting();

    @Override
    default void close() {}
}
