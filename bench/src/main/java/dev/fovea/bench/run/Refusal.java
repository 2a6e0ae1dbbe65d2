package dev.fovea.bench.run;

import java.util.Map;

/**
 * A side that was not timed, because its result was wrong.
 *
 * @param work the parameters of what it should have computed
 */
public record Refusal(String side, Map<String, String> work, String reason) {}
