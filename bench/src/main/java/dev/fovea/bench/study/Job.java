package dev.fovea.bench.study;

/** A part of a suite that is measured in one go: all sides on one piece of work. What is finished is kept. */
public interface Job {
    /** Names it within its suite, in letters, digits, dots and dashes, such as {@code n128-d64-causal-1thread}. */
    String name();

    /** How long it takes, as far as is known beforehand. */
    int estimatedSeconds();

    /**
     * Checks that the sides agree, then times them, each in a JVM of its own. A side that is absent or gives a wrong
     * result is reported as such and does not stop the others.
     *
     * @throws Exception if the job fails as a whole; it is run again next time
     */
    void run(Findings findings) throws Exception;
}
