package dev.fovea.internal.cpu;

import static java.lang.foreign.MemorySegment.NULL;

import dev.fovea.internal.ffi.FoveaH;
import java.lang.foreign.MemorySegment;

/**
 * Calls functions of the C core by their numbers, {@code FOVEA_CALL_*}, and returns what they return. All go through one
 * function of the core: the JVM takes several milliseconds to link each signature, and so links one.
 *
 * <p>Segments are arguments of the call, which keeps their arenas open as long as it runs.
 */
final class Core {
    private Core() {}

    static int call(int function, MemorySegment a) {
        return call(function, a, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b) {
        return call(function, a, b, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c) {
        return call(function, a, b, c, NULL, NULL, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d) {
        return call(function, a, b, c, d, NULL, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e) {
        return call(function, a, b, c, d, e, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e,
            MemorySegment f) {
        return call(function, a, b, c, d, e, f, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e,
            MemorySegment f, MemorySegment g) {
        return FoveaH.fovea_call(function, a, b, c, d, e, f, g, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e,
            MemorySegment f, MemorySegment g, MemorySegment h, MemorySegment i, MemorySegment j) {
        return call(function, a, b, c, d, e, f, g, h, i, j, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e,
            MemorySegment f, MemorySegment g, MemorySegment h, MemorySegment i, MemorySegment j, MemorySegment k) {
        return FoveaH.fovea_call(function, a, b, c, d, e, f, g, h, i, j, k, NULL, NULL, NULL, NULL, NULL);
    }

    static int call(int function, MemorySegment a, MemorySegment b, MemorySegment c, MemorySegment d, MemorySegment e,
            MemorySegment f, MemorySegment g, MemorySegment h, MemorySegment i, MemorySegment j, MemorySegment k,
            MemorySegment l, MemorySegment m, MemorySegment n, MemorySegment o, MemorySegment p) {
        return FoveaH.fovea_call(function, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    }
}
