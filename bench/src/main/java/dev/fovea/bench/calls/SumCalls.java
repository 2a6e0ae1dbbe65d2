package dev.fovea.bench.calls;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.openjdk.jmh.annotations.CompilerControl;

/** Calls that hand over n floats, whose sum comes back. */
final class SumCalls {
    static final String WORK = "sum of floats";
    static final String COPIED = "heap array copied off-heap";
    static final String HEAP = "heap segment, critical(true)";
    static final String OFF_HEAP = "off-heap segment";
    static final String JNI_CRITICAL = "JNI GetPrimitiveArrayCritical";
    static final String JNI_REGION = "JNI GetFloatArrayRegion";
    static final String JAVA = "Java sum";
    static final List<String> SIDES = List.of(JAVA, OFF_HEAP, HEAP, COPIED, JNI_CRITICAL, JNI_REGION);

    private static final int PARTS = 8;

    private SumCalls() {}

    static Call open(String side, int floats) {
        return switch (side) {
            case COPIED -> new Copied(floats);
            case HEAP -> new Heap(floats);
            case OFF_HEAP -> new OffHeap(floats);
            case JNI_CRITICAL -> new JniCritical(floats);
            case JNI_REGION -> new JniRegion(floats);
            case JAVA -> new Java(floats);
            default -> throw new IllegalArgumentException("unknown side " + side);
        };
    }

    /** Floats whose sum every order of additions gives exactly. */
    private abstract static class Sum implements Call {
        final float[] array;
        final int floats;
        final Arena arena = Arena.ofShared();

        Sum(int floats) {
            this.floats = floats;
            array = new float[floats];
            for (int i = 0; i < floats; i++) {
                array[i] = i % 7 + 1;
            }
        }

        @Override
        public final float expected() {
            double sum = 0;
            for (float x : array) {
                sum += x;
            }
            return (float) sum;
        }

        @Override
        public final void close() {
            arena.close();
        }
    }

    /** Copies the array to memory that is allocated once. */
    static final class Copied extends Sum {
        private final MemorySegment buffer = arena.allocate(JAVA_FLOAT, floats);

        Copied(int floats) {
            super(floats);
        }

        @Override
        public float call() throws Throwable {
            MemorySegment.copy(array, 0, buffer, JAVA_FLOAT, 0, floats);
            return (float) Ffm.CALL_SUM.invokeExact(buffer, floats);
        }

        @Override
        public String setting() {
            return "MemorySegment.copy into memory allocated once, then a downcall";
        }
    }

    /** Passes the array itself. */
    static final class Heap extends Sum {
        private final MemorySegment segment = MemorySegment.ofArray(array);

        Heap(int floats) {
            super(floats);
        }

        @Override
        public float call() throws Throwable {
            return (float) Ffm.CALL_SUM_CRITICAL.invokeExact(segment, floats);
        }

        @Override
        public String setting() {
            return "Linker.Option.critical(true): no garbage is collected while it runs";
        }
    }

    /** Passes what lies off-heap already. */
    static final class OffHeap extends Sum {
        private final MemorySegment segment = arena.allocateFrom(JAVA_FLOAT, array);

        OffHeap(int floats) {
            super(floats);
        }

        @Override
        public float call() throws Throwable {
            return (float) Ffm.CALL_SUM.invokeExact(segment, floats);
        }

        @Override
        public String setting() {
            return "a downcall on a segment of a shared arena";
        }
    }

    /** By JNI on the array itself. */
    static final class JniCritical extends Sum {
        JniCritical(int floats) {
            super(floats);
        }

        @Override
        public float call() {
            return Jni.sumCritical(array, floats);
        }

        @Override
        public String setting() {
            return "no copy; the region is pinned or no garbage is collected while it runs";
        }
    }

    /** By JNI on a copy. */
    static final class JniRegion extends Sum {
        private final long buffer = arena.allocate(JAVA_FLOAT, floats).address();

        JniRegion(int floats) {
            super(floats);
        }

        @Override
        public float call() {
            return Jni.sumRegion(array, floats, buffer);
        }

        @Override
        public String setting() {
            return "copied by the JVM into memory allocated once";
        }
    }

    /** In Java. */
    static final class Java extends Sum {
        Java(int floats) {
            super(floats);
        }

        @Override
        public float call() {
            return sum(array, floats);
        }

        @CompilerControl(CompilerControl.Mode.DONT_INLINE)
        static float sum(float[] x, int n) {
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            float s4 = 0;
            float s5 = 0;
            float s6 = 0;
            float s7 = 0;
            int i = 0;
            for (; i + PARTS <= n; i += PARTS) {
                s0 += x[i];
                s1 += x[i + 1];
                s2 += x[i + 2];
                s3 += x[i + 3];
                s4 += x[i + 4];
                s5 += x[i + 5];
                s6 += x[i + 6];
                s7 += x[i + 7];
            }
            float sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
            for (; i < n; i++) {
                sum += x[i];
            }
            return sum;
        }

        @Override
        public String setting() {
            return "a static method, not inlined, " + PARTS + " partial sums";
        }
    }
}
