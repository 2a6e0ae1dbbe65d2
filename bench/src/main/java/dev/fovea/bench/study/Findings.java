package dev.fovea.bench.study;

import java.util.Map;

/** Takes what a job finds. */
public interface Findings {
    /** A figure of one side on one piece of work. */
    void measured(Measurement measurement);

    /** A side that is not there, such as a peer whose jar was removed. */
    void absent(String side, String reason);

    /** A side whose result is wrong, and which is therefore not timed. */
    void refused(String side, Map<String, String> work, String reason);

    /** The version of a side, such as {@code 1.24.1}. */
    void version(String side, String version);

    /** How a side runs, such as {@code optimisation level all, arena on}. */
    void setting(String side, String setting);

    /** Whether a side gives wrong results on purpose: the tests' hook to see the check catch it. */
    boolean sabotaged(String side);
}
