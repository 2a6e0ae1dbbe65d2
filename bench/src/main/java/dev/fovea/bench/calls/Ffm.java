package dev.fovea.bench.calls;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.bench.natives.StudyLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/** The callees through the foreign function and memory API. */
final class Ffm {
    private static final FunctionDescriptor EMPTY = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
    private static final FunctionDescriptor OP = FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    private static final FunctionDescriptor SUM = FunctionDescriptor.of(JAVA_FLOAT, ADDRESS, JAVA_INT);

    static final MethodHandle CALL_EMPTY = StudyLibrary.function("fb_empty", EMPTY);
    static final MethodHandle CALL_EMPTY_CRITICAL =
            StudyLibrary.function("fb_empty", EMPTY, Linker.Option.critical(false));
    static final MethodHandle CALL_OP = StudyLibrary.function("fb_op", OP);
    static final MethodHandle CALL_OP_CRITICAL = StudyLibrary.function("fb_op", OP, Linker.Option.critical(false));
    static final MethodHandle CALL_SUM = StudyLibrary.function("fb_sum", SUM);
    static final MethodHandle CALL_SUM_CRITICAL = StudyLibrary.function("fb_sum", SUM, Linker.Option.critical(true));

    /** {@code fb_params}. */
    static final StructLayout PARAMS = MemoryLayout.structLayout(
            JAVA_INT.withName("struct_size"),
            JAVA_INT.withName("rows"),
            JAVA_INT.withName("inputs"),
            JAVA_INT.withName("outputs"),
            JAVA_LONG.withName("x_stride"),
            JAVA_LONG.withName("out_stride"));

    private Ffm() {}

    /** Fills the params struct as an op does in each call. */
    static void fill(MemorySegment params, int rows, int inputs, int outputs) {
        params.set(JAVA_INT, 0, (int) PARAMS.byteSize());
        params.set(JAVA_INT, 4, rows);
        params.set(JAVA_INT, 8, inputs);
        params.set(JAVA_INT, 12, outputs);
        params.set(JAVA_LONG, 16, inputs);
        params.set(JAVA_LONG, 24, outputs);
    }

    /** What {@code fb_op} makes of it. */
    static long expected(int rows, int inputs, int outputs) {
        return PARAMS.byteSize() + rows + 2L * inputs + 2L * outputs;
    }
}
