package dev.fovea;

/** What does the arithmetic. */
public enum Backend {
    /** The C core. */
    NATIVE,
    /** Plain Java, on any platform and without flags. */
    JAVA,

    /**
     * Java on the Vector API, to measure how far Java comes: never chosen unless it is asked for.
     *
     * <p>The JVM must have been started with {@code --add-modules jdk.incubator.vector}, and then prints a warning
     * that it uses a module of an incubator; an x86 CPU must have AVX2. Until the JIT has compiled its loops it is far
     * slower than plain Java. Alone among the backends it does not promise to allocate nothing: vectors that the JIT
     * does not keep in registers lie on the heap.
     */
    VECTOR
}
