package dev.fovea.model.generation;

/**
 * How a {@link Scheduler} works. Nothing of it changes what is written.
 *
 * @param waiting requests that wait at most
 * @param chunk tokens of prompts that are read in one run at most, those of all requests together
 * @param chunkBeside as many while others write, who wait for it
 * @param keeps whether what the caches hold of a request is of use to later ones
 * @param drafts tokens that are guessed at most for a run; 0 for none
 */
public record SchedulerOptions(int waiting, int chunk, int chunkBeside, boolean keeps, int drafts) {
    /** Tokens of a prompt that are read at once while nobody writes. */
    public static final int CHUNK = 256;
    /** As many while somebody writes: what they wait for stays short, and products of 32 rows are about as fast. */
    public static final int CHUNK_BESIDE = 32;

    /** Checks the values. */
    public SchedulerOptions {
        if (waiting < 0 || chunk < 1 || chunkBeside < 1 || chunkBeside > chunk || drafts < 0) {
            throw new IllegalArgumentException("expected waiting, chunk, chunkBeside and drafts from 0, 1, 1 and 0 on, got "
                    + waiting + ", " + chunk + ", " + chunkBeside + " and " + drafts);
        }
    }
}
