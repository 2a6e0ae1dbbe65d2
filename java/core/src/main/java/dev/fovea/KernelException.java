package dev.fovea;

/** A kernel refused a call that the Java side had let through, or ran out of a resource. */
public final class KernelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The status code of {@code fovea.h} or {@code fovea_cuda.h}. */
    private final int status;

    /** A refusal of {@code operation} with {@code status}, which {@code reason} describes. */
    public KernelException(String operation, int status, String reason) {
        super(operation + ": " + reason + " (status " + status + ")");
        this.status = status;
    }

    /** The status code of {@code fovea.h} or {@code fovea_cuda.h}. */
    public int status() {
        return status;
    }
}
