package dev.fovea.bench.calls;

import java.util.List;
import org.openjdk.jmh.annotations.CompilerControl;

/** Calls of {@code int f(int)}, which adds 1. */
final class EmptyCalls {
    static final String WORK = "empty";
    static final List<String> SIDES = List.of(CallsSuite.JAVA, CallsSuite.FFM, CallsSuite.FFM_CRITICAL, CallsSuite.JNI);

    private EmptyCalls() {}

    static Call open(String side) {
        return switch (side) {
            case CallsSuite.JAVA -> new Java();
            case CallsSuite.FFM -> new Downcall();
            case CallsSuite.FFM_CRITICAL -> new CriticalDowncall();
            case CallsSuite.JNI -> new JniCall();
            default -> throw new IllegalArgumentException("unknown side " + side);
        };
    }

    /** The argument changes from call to call, so that no call can be left out. */
    private abstract static class Counting implements Call {
        int last;

        @Override
        public final float expected() {
            return last + 1;
        }
    }

    /** In Java. */
    static final class Java extends Counting {
        @Override
        public float call() {
            return increment(++last & 0xffff);
        }

        @CompilerControl(CompilerControl.Mode.DONT_INLINE)
        static int increment(int x) {
            return x + 1;
        }

        @Override
        public String setting() {
            return "a static method, not inlined";
        }
    }

    /** By a method handle. */
    static final class Downcall extends Counting {
        @Override
        public float call() throws Throwable {
            return (int) Ffm.CALL_EMPTY.invokeExact(++last & 0xffff);
        }

        @Override
        public String setting() {
            return "Linker.downcallHandle";
        }
    }

    /** By a method handle that leaves the thread's state as it is. */
    static final class CriticalDowncall extends Counting {
        @Override
        public float call() throws Throwable {
            return (int) Ffm.CALL_EMPTY_CRITICAL.invokeExact(++last & 0xffff);
        }

        @Override
        public String setting() {
            return "Linker.downcallHandle with Linker.Option.critical(false)";
        }
    }

    /** By JNI. */
    static final class JniCall extends Counting {
        @Override
        public float call() {
            return Jni.empty(++last & 0xffff);
        }

        @Override
        public String setting() {
            return "a static native method";
        }
    }
}
