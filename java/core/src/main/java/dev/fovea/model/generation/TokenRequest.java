package dev.fovea.model.generation;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * What one caller wants of a {@link Scheduler}: tokens behind a prompt. Its caller waits for it, whoever leads writes it, and
 * either may end it.
 */
public final class TokenRequest {
    /** No deadline. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Where a request stands; the last five are for good. */
    public enum State {
        /** It waits for a place in the batch. */
        WAITING,
        /** It has one. */
        AT_WORK,
        /** A token ended the text. */
        END,
        /** There are as many tokens as were asked for. */
        LENGTH,
        /** Its caller does not want more. */
        CANCELLED,
        /** Its time is over. */
        LATE,
        /** What went wrong is {@link TokenRequest#failure()}. */
        FAILED;

        boolean isLast() {
            return ordinal() >= END.ordinal();
        }
    }

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(TokenRequest.class, "state", State.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int[] tokens;
    private final int promptLength;
    private final float[] logProbabilities;
    private final Sampling sampling;
    private final int[] ends;
    private final TokenChoice choice;
    private final int priority;
    private final long deadline;
    private final Thread caller = Thread.currentThread();
    private volatile State state = State.WAITING;
    private volatile int written;
    private volatile int kept;
    private volatile long begun;
    private volatile long first;
    private volatile RuntimeException failure;

    /** Its place among the scheduler's requests, and its turn. */
    int index = -1;
    long ticket;
    /** Whether its caller waits, and may lead. */
    volatile boolean waits;

    /**
     * A request of the thread that makes it.
     *
     * @param prompt at least one token
     * @param most tokens of the answer at most
     * @param choice how tokens are chosen
     * @param ends tokens that end the answer
     * @param priority the higher go first
     * @param deadline in {@link System#nanoTime()}, or {@link #NEVER}
     */
    public TokenRequest(int[] prompt, int most, Sampling sampling, TokenChoice choice, int[] ends, int priority,
            long deadline) {
        this.tokens = Arrays.copyOf(prompt, prompt.length + most);
        this.promptLength = prompt.length;
        this.logProbabilities = new float[sampling.logProbabilities() ? most : 0];
        this.sampling = sampling;
        this.choice = choice;
        this.ends = ends;
        this.priority = priority;
        this.deadline = deadline;
    }

    /** Tokens of the answer so far. */
    public int written() {
        return written;
    }

    /** A token of the answer, of those that are written. */
    public int token(int index) {
        return tokens[promptLength + index];
    }

    /** Whether a token ends the answer. */
    public boolean isEnd(int token) {
        for (int end : ends) {
            if (end == token) {
                return true;
            }
        }
        return false;
    }

    /** The first tokens of the answer. */
    public int[] answer(int count) {
        return Arrays.copyOfRange(tokens, promptLength, promptLength + count);
    }

    /** The logarithms of their probabilities; empty unless asked for. */
    public float[] logProbabilities(int count) {
        return Arrays.copyOf(logProbabilities, Math.min(count, logProbabilities.length));
    }

    /** That of a token that is written, if asked for. */
    public float logProbability(int index) {
        return logProbabilities[index];
    }

    /** Tokens of the prompt that were in memory when its work began, and not read again. */
    public int kept() {
        return kept;
    }

    /** When its work began, in {@link System#nanoTime()}; 0 if it did not. */
    public long begun() {
        return begun;
    }

    /** When its first token was there; 0 if there was none. */
    public long first() {
        return first;
    }

    /** Where it stands. */
    public State state() {
        return state;
    }

    /** Whether nothing more is written. */
    public boolean hasEnded() {
        return state.isLast();
    }

    /** Ends it, unless it has ended. */
    public void cancel() {
        end(State.CANCELLED);
    }

    /** What went wrong; null if nothing did. */
    public RuntimeException failure() {
        return failure;
    }

    void end(State last) {
        State before = state;
        while (!before.isLast() && !STATE.compareAndSet(this, before, last)) {
            before = state;
        }
    }

    void fail(RuntimeException e) {
        failure = e;
        end(State.FAILED);
    }

    boolean turn(State from, State to) {
        return STATE.compareAndSet(this, from, to);
    }

    boolean isLate(long now) {
        return deadline != NEVER && now - deadline >= 0;
    }

    /** Nanoseconds that are left, at most {@code most}. */
    long left(long most) {
        return deadline == NEVER ? most : Math.max(1, Math.min(most, deadline - System.nanoTime()));
    }

    /** Whether it goes before another. */
    boolean isBefore(TokenRequest other) {
        return priority != other.priority ? priority > other.priority : ticket < other.ticket;
    }

    int priority() {
        return priority;
    }

    int[] tokens() {
        return tokens;
    }

    int promptLength() {
        return promptLength;
    }

    int most() {
        return tokens.length - promptLength;
    }

    Sampling sampling() {
        return sampling;
    }

    Thread caller() {
        return caller;
    }

    /** It has a place in the batch, and this much is in memory; for who leads. */
    void begin(int held) {
        if (begun == 0) {
            kept = Math.min(held, promptLength);
            begun = nonZero(System.nanoTime());
        }
    }

    private static long nonZero(long nanos) {
        return nanos == 0 ? 1 : nanos;
    }

    /**
     * Adds the token that is chosen; for who leads.
     *
     * @param row F32 [vocabulary], the logits of the next token
     */
    int choose(Sampler sampler, MemorySegment row) {
        int token = choice.next(sampler, row);
        write(token, sampler.logProbability());
        return token;
    }

    /** Lets a sampler begin with it; for who leads. */
    void start(Sampler sampler) {
        choice.begin(sampler);
        sampler.start(sampling);
    }

    private void write(int token, double logProbability) {
        int at = written;
        if (at == 0) {
            first = nonZero(System.nanoTime());
        }
        tokens[promptLength + at] = token;
        if (logProbabilities.length > 0) {
            logProbabilities[at] = (float) logProbability;
        }
        written = at + 1;
        if (isEnd(token) || choice.isComplete()) {
            end(State.END);
        }
        if (at + 1 == most()) {
            end(State.LENGTH);
        }
    }
}
