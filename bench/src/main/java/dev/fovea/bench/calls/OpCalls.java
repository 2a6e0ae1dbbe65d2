package dev.fovea.bench.calls;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.openjdk.jmh.annotations.CompilerControl;

/** Calls as Fovea's ops make them: fill a params struct, pass it and three tensors, get a status. */
final class OpCalls {
    static final String WORK = "struct, 3 pointers";
    static final List<String> SIDES = List.of(CallsSuite.JAVA, CallsSuite.FFM, CallsSuite.FFM_CRITICAL, CallsSuite.JNI);

    private static final int INPUTS = 384;
    private static final int OUTPUTS = 1536;

    private OpCalls() {}

    static Call open(String side) {
        return switch (side) {
            case CallsSuite.JAVA -> new Java();
            case CallsSuite.FFM -> new Downcall();
            case CallsSuite.FFM_CRITICAL -> new CriticalDowncall();
            case CallsSuite.JNI -> new JniCall();
            default -> throw new IllegalArgumentException("unknown side " + side);
        };
    }

    /** The number of rows changes from call to call. */
    private abstract static class Op implements Call {
        final Arena arena = Arena.ofShared();
        final MemorySegment params = arena.allocate(Ffm.PARAMS);
        final MemorySegment x = arena.allocate(64);
        final MemorySegment weight = arena.allocate(64);
        final MemorySegment out = arena.allocate(64);
        int rows;

        final void fill() {
            rows = rows + 1 & 0xff;
            Ffm.fill(params, rows, INPUTS, OUTPUTS);
        }

        @Override
        public final float expected() {
            return Ffm.expected(rows, INPUTS, OUTPUTS);
        }

        @Override
        public final void close() {
            arena.close();
        }
    }

    /** In Java. */
    static final class Java extends Op {
        @Override
        public float call() {
            fill();
            return op(params, x, weight, out);
        }

        @CompilerControl(CompilerControl.Mode.DONT_INLINE)
        static long op(MemorySegment params, MemorySegment x, MemorySegment weight, MemorySegment out) {
            if (x.address() == 0 || weight.address() == 0 || out.address() == 0) {
                return -1;
            }
            return params.get(JAVA_INT, 0) + params.get(JAVA_INT, 4) + params.get(JAVA_INT, 8)
                    + params.get(JAVA_INT, 12) + params.get(JAVA_LONG, 16) + params.get(JAVA_LONG, 24);
        }

        @Override
        public String setting() {
            return "a static method, not inlined, on segments of a shared arena";
        }
    }

    /** By a method handle. */
    static final class Downcall extends Op {
        @Override
        public float call() throws Throwable {
            fill();
            return (long) Ffm.CALL_OP.invokeExact(params, x, weight, out);
        }

        @Override
        public String setting() {
            return "segments of a shared arena, which the call keeps open; as Fovea's ops do";
        }
    }

    /** By a method handle that leaves the thread's state as it is. */
    static final class CriticalDowncall extends Op {
        @Override
        public float call() throws Throwable {
            fill();
            return (long) Ffm.CALL_OP_CRITICAL.invokeExact(params, x, weight, out);
        }

        @Override
        public String setting() {
            return "segments of a shared arena, Linker.Option.critical(false)";
        }
    }

    /** By JNI, which takes addresses and keeps nothing open. */
    static final class JniCall extends Op {
        @Override
        public float call() {
            fill();
            return Jni.op(params.address(), x.address(), weight.address(), out.address());
        }

        @Override
        public String setting() {
            return "a static native method on addresses";
        }
    }
}
