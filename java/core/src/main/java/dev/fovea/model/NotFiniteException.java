package dev.fovea.model;

/** A sequence's vector is not finite. */
final class NotFiniteException extends ArithmeticException {
    private static final long serialVersionUID = 1;

    private final int sequence;

    NotFiniteException(int sequence) {
        super("the vector of sequence " + sequence + " is not finite: it has NaN or infinity");
        this.sequence = sequence;
    }

    /** Which of a batch it is. */
    int sequence() {
        return sequence;
    }
}
