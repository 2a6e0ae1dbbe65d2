package dev.fovea;

/** What does the arithmetic. */
public enum Backend {
    /** The C core. */
    NATIVE,
    /** Plain Java, on any platform and without flags. */
    JAVA
}
