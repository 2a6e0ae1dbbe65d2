package dev.fovea.model;

import java.io.IOException;

/** There is no model of this name or in this place. The message says what would help. */
public final class ModelNotFoundException extends IOException {
    private static final long serialVersionUID = 1L;

    /** A failure that {@code message} describes. */
    public ModelNotFoundException(String message) {
        super(message);
    }
}
