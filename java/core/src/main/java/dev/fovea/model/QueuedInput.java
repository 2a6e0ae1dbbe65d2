package dev.fovea.model;

/** An input that waits, between its neighbours in {@link WaitingInputs}. */
final class QueuedInput<R> {
    final EncoderInput<R> input;
    private final QueuedCall<R, ?> call;
    private final int index;

    /** What {@link System#nanoTime} was when it came. */
    long since;

    QueuedInput<R> previous;
    QueuedInput<R> next;
    boolean waits;

    QueuedInput(EncoderInput<R> input, QueuedCall<R, ?> call, int index) {
        this.input = input;
        this.call = call;
        this.index = index;
    }

    /** What it counts as. */
    int tokens() {
        return Math.max(1, input.tokens());
    }

    void done(R result) {
        call.done(index, result);
    }

    void fail(Throwable cause) {
        call.completeExceptionally(cause);
    }
}
