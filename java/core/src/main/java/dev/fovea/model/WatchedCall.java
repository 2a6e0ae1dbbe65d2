package dev.fovea.model;

import dev.fovea.CallListener;
import dev.fovea.Engine;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.flight.EncodeEvent;
import dev.fovea.internal.flight.FlightRecording;
import dev.fovea.internal.flight.GenerateEvent;

/**
 * What the calls of a session tell those who watch: the listener of its engine, and flight recordings. One object for all
 * calls, one after the other, so that none makes another. Where no one watches, a call costs a few reads of fields.
 */
final class WatchedCall {
    /** What stands for a time where no one watches. */
    static final long UNWATCHED = 0;

    private final CallListener listener;
    private final String model;
    private long arrived = UNWATCHED;
    private long begun;
    /** Made when a recording first wants them. */
    private EncodeEvent encoding;
    private GenerateEvent generating;
    private boolean recorded;

    /** Of calls of a model on an engine. */
    WatchedCall(Engine engine, String model) {
        this.listener = Device.of(engine).listener();
        this.model = model;
    }

    /** When a call came, or {@link #UNWATCHED}: for {@link #beginEncoding} and {@link #beginGenerating}. */
    static long arrival(Engine engine) {
        return Device.of(engine).listener() != null || FlightRecording.isOn() ? now() : UNWATCHED;
    }

    private static long now() {
        long now = System.nanoTime();
        return now == UNWATCHED ? 1 : now;
    }

    /** The work of an encoder begins, of a call that came at {@code arrival}. */
    void beginEncoding(long arrival) {
        begin(arrival);
        if (recorded) {
            encoding = encoding == null ? new EncodeEvent() : encoding;
            encoding.begin();
        }
    }

    /** The work of a language model begins, of a call that came at {@code arrival}. */
    void beginGenerating(long arrival) {
        begin(arrival);
        if (recorded) {
            generating = generating == null ? new GenerateEvent() : generating;
            generating.begin();
        }
    }

    private void begin(long arrival) {
        arrived = arrival;
        recorded = arrival != UNWATCHED && FlightRecording.isOn();
        begun = arrival == UNWATCHED ? UNWATCHED : now();
    }

    /** An encoder's call is done. */
    void encoded(int sequences, long tokens) {
        if (arrived == UNWATCHED) {
            return;
        }
        long run = now() - begun;
        if (recorded) {
            commitEncoding(sequences, tokens, null);
        }
        if (listener != null) {
            listener.encoded(model, sequences, tokens, begun - arrived, run);
        }
    }

    /**
     * A language model's call is done.
     *
     * @param began when it had a place in the batch, in {@link System#nanoTime()}; 0 if it had none
     * @param first when its first token was there; 0 if there was none
     */
    void generated(int promptTokens, int keptTokens, int writtenTokens, long began, long first) {
        if (arrived == UNWATCHED) {
            return;
        }
        long end = now();
        begun = began == 0 ? end : began;
        long firstNanos = first == 0 ? end - begun : first - begun;
        if (recorded) {
            commitGenerating(promptTokens, keptTokens, writtenTokens, firstNanos, null);
        }
        if (listener != null) {
            listener.generated(model, promptTokens, keptTokens, writtenTokens, begun - arrived, firstNanos, end - begun);
        }
    }

    /** An encoder's call failed. */
    void encodingFailed(Throwable failure) {
        if (arrived != UNWATCHED && recorded) {
            commitEncoding(0, 0, failure.toString());
        }
        failed(failure);
    }

    /** A language model's call failed. */
    void generatingFailed(Throwable failure) {
        if (arrived != UNWATCHED && recorded) {
            commitGenerating(0, 0, 0, 0, failure.toString());
        }
        failed(failure);
    }

    /** The caller gets its failure, whatever the listener does. */
    private void failed(Throwable failure) {
        if (arrived != UNWATCHED && listener != null) {
            try {
                listener.failed(model, failure, begun - arrived, now() - begun);
            } catch (Throwable e) {
                failure.addSuppressed(e);
            }
        }
    }

    private void commitEncoding(int sequences, long tokens, String failure) {
        encoding.end();
        encoding.model = model;
        encoding.sequences = sequences;
        encoding.tokens = tokens;
        encoding.queueTime = begun - arrived;
        encoding.failure = failure;
        encoding.commit();
    }

    private void commitGenerating(int promptTokens, int keptTokens, int writtenTokens, long firstNanos,
            String failure) {
        generating.end();
        generating.model = model;
        generating.promptTokens = promptTokens;
        generating.keptTokens = keptTokens;
        generating.writtenTokens = writtenTokens;
        generating.queueTime = begun - arrived;
        generating.firstTokenTime = firstNanos;
        generating.failure = failure;
        generating.commit();
    }
}
