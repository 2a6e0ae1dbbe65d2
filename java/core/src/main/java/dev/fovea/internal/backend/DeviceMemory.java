package dev.fovea.internal.backend;

/**
 * Memory of a {@link Device}: an address that means something to the device alone, and a length. It is never a segment
 * that Java could read.
 */
public interface DeviceMemory extends AutoCloseable {
    /** Where it begins, in the device's own address space. */
    long address();

    /** How long it is. */
    long bytes();

    /** Frees it. Idempotent. No run may be using it. */
    @Override
    void close();
}
