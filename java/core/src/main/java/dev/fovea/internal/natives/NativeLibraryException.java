package dev.fovea.internal.natives;

import java.io.Serial;

/** The native library cannot be used here. The message is the reason, in one line, with path and property. */
public final class NativeLibraryException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** A failure for this reason. */
    public NativeLibraryException(String message) {
        super(message);
    }

    NativeLibraryException(String message, Throwable cause) {
        super(message, cause);
    }
}
