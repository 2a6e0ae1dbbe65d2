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
    VECTOR,

    /**
     * An NVIDIA GPU of compute capability 8.0 or newer, through the jar {@code fovea-cuda}, which needs the GPU's driver
     * alone: never chosen unless it is asked for, and nothing falls back from it.
     *
     * <p>Weights are F32, F16 or BF16. With F32 all arithmetic is F32; with the others what flows between the layers is
     * of the same type, and sums are F32. Where memory of the GPU is missing, the {@link OutOfMemoryError} says how much
     * was needed and how much was free. A GPU that fails in the middle of a run ends with a {@link KernelException};
     * what was made on the engine, and the engine, can only be closed then.
     */
    CUDA
}
