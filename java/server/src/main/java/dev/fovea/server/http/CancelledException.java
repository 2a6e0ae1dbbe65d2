package dev.fovea.server.http;

/** The work of a request is not wanted any more. */
public final class CancelledException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Cancellation.Reason reason;

    /** Has no trace: nothing went wrong. */
    public CancelledException(Cancellation.Reason reason) {
        super("cancelled: " + reason, null, false, false);
        this.reason = reason;
    }

    /** Why. */
    public Cancellation.Reason reason() {
        return reason;
    }
}
