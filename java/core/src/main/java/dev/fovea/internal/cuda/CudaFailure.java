package dev.fovea.internal.cuda;

import dev.fovea.KernelException;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.cuda.ffi.fovea_cuda_failure;
import dev.fovea.internal.ffi.FoveaH;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * What the GPU library says of a call that failed, and the exception that it becomes. For one thread at a time; reused by
 * those who call often.
 *
 * <pre>
 *   OUT_OF_MEMORY                         OutOfMemoryError with the bytes that were needed and those that were free
 *   OVERFLOW                              OutOfMemoryError
 *   NO_DRIVER ... UNSUPPORTED_DEVICE      UnsupportedOperationException: the backend is not available
 *   UNSUPPORTED                           UnsupportedOperationException: no kernel computes this
 *   DEVICE_LOST and all others            KernelException
 * </pre>
 */
final class CudaFailure {
    private final MemorySegment struct;

    CudaFailure(SegmentAllocator allocator) {
        struct = fovea_cuda_failure.allocate(allocator);
        fovea_cuda_failure.struct_size(struct, (int) fovea_cuda_failure.sizeof());
    }

    /** What a call fills. */
    MemorySegment struct() {
        return struct;
    }

    /** Throws what the status of {@code operation} stands for, if it is not OK. */
    void check(String operation, int status) {
        if (status != FoveaH.FOVEA_STATUS_OK()) {
            throw of(operation, status, fovea_cuda_failure.message(struct).getString(0),
                    fovea_cuda_failure.bytes_needed(struct), fovea_cuda_failure.bytes_free(struct));
        }
    }

    /** As {@link #check(String, int)}, of a call that was given no struct to fill. */
    static void checkUntold(String operation, int status) {
        if (status != FoveaH.FOVEA_STATUS_OK()) {
            throw of(operation, status, "", 0, 0);
        }
    }

    /** The reason of a device that does not open, in one line. */
    String reason(int status) {
        String message = fovea_cuda_failure.message(struct).getString(0);
        if (status == FoveaH.FOVEA_STATUS_OUT_OF_MEMORY() && fovea_cuda_failure.bytes_needed(struct) > 0) {
            return outOfMemory(fovea_cuda_failure.bytes_needed(struct), fovea_cuda_failure.bytes_free(struct));
        }
        return message.isEmpty() ? name(status) : message;
    }

    private static RuntimeException of(String operation, int status, String message, long needed, long free) {
        String reason = message.isEmpty() ? name(status) : message;
        if (status == FoveaH.FOVEA_STATUS_OUT_OF_MEMORY() || status == FoveaH.FOVEA_STATUS_OVERFLOW()) {
            throw new OutOfMemoryError(operation + ": " + (needed > 0 ? outOfMemory(needed, free) : reason));
        }
        if (status == FoveaH.FOVEA_STATUS_UNSUPPORTED()) {
            return new UnsupportedOperationException(operation + " on the GPU: " + reason);
        }
        if (status == FoveaCudaH.FOVEA_CUDA_STATUS_DEVICE_LOST()) {
            return new KernelException(operation, status, "the GPU is lost, and all that was made on it: " + reason
                    + "; close it and its engine, then create another engine");
        }
        return new KernelException(operation, status, reason);
    }

    private static String outOfMemory(long needed, long free) {
        return "needed " + needed + " bytes of the GPU's memory, of which " + free + " are free";
    }

    private static String name(int status) {
        return FoveaCudaH.fovea_cuda_status_name(status).getString(0);
    }
}
