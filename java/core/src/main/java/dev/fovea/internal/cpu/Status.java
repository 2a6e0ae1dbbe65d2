package dev.fovea.internal.cpu;

import dev.fovea.KernelException;
import dev.fovea.internal.ffi.FoveaH;

/** The status codes that every call of the C core returns. */
final class Status {
    private Status() {}

    /** Throws what the status of {@code operation} stands for, if it is not OK. */
    static void check(String operation, int status) {
        if (status != FoveaH.FOVEA_STATUS_OK()) {
            throw new KernelException(operation, status, FoveaH.fovea_status_name(status).getString(0));
        }
    }
}
