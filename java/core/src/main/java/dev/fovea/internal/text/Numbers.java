package dev.fovea.internal.text;

/** Numbers of {@code unicode.bin}: seven bits a byte, the low ones first; the sign bit is set where more follow. */
final class Numbers {
    private final byte[] bytes;
    private int at;

    Numbers(byte[] bytes) {
        this.bytes = bytes;
    }

    int next() {
        int value = 0;
        int shift = 0;
        int part;
        do {
            part = bytes[at++];
            value |= (part & 0x7f) << shift;
            shift += 7;
        } while (part < 0);
        return value;
    }
}
