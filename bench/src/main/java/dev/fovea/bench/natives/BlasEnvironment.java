package dev.fovea.bench.natives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The environment variable by which OpenBLAS takes the kernels of another CPU. Where it is set, as on machines that
 * want the same bits everywhere, OpenBLAS has half its throughput, and so has PyTorch, whose products are OpenBLAS's.
 */
public final class BlasEnvironment {
    private static final String VARIABLE = "OPENBLAS_CORETYPE";

    private BlasEnvironment() {}

    /** Takes the variable from this process, which must not have loaded OpenBLAS; gives what to say of it. */
    public static String clear() {
        String value = System.getenv(VARIABLE);
        if (value == null) {
            return "kernels of OpenBLAS's choice";
        }
        MethodHandle unsetenv = Linker.nativeLinker().defaultLookup().find("unsetenv")
                .map(address -> Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(JAVA_INT, ADDRESS)))
                .orElse(null);
        if (unsetenv == null) {
            return VARIABLE + "=" + value;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(VARIABLE);
            int status = (int) unsetenv.invokeExact(name);
            return status == 0 ? "kernels of OpenBLAS's choice (" + VARIABLE + "=" + value + " taken away)"
                    : VARIABLE + "=" + value;
        } catch (Throwable e) {
            throw new IllegalStateException("unsetenv " + VARIABLE, e);
        }
    }
}
