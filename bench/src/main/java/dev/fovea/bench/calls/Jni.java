package dev.fovea.bench.calls;

import dev.fovea.bench.natives.StudyLibrary;

/** The callees through JNI: {@code calls_jni.c}. */
final class Jni {
    static {
        StudyLibrary.load();
    }

    private Jni() {}

    /** x + 1. */
    static native int empty(int x);

    /** {@code fb_op} on addresses. */
    static native long op(long params, long x, long weight, long out);

    /** The sum of the first n floats, by GetPrimitiveArrayCritical. */
    static native float sumCritical(float[] x, int n);

    /** The sum of the first n floats, by GetFloatArrayRegion into the n floats at {@code buffer}. */
    static native float sumRegion(float[] x, int n, long buffer);
}
