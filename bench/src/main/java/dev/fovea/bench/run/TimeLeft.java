package dev.fovea.bench.run;

import java.util.LinkedHashMap;
import java.util.Map;

/** How long jobs will take: what they say beforehand, corrected by how long those before them really took. */
public final class TimeLeft {
    /** How much the word of the jobs weighs against what was measured, in seconds of theirs. */
    private static final double TRUST = 20;

    private static final class Sum {
        private double estimated;
        private double measured;

        private double factor(double otherwise) {
            return (measured + TRUST * otherwise) / (estimated + TRUST);
        }
    }

    private final Sum all = new Sum();
    private final Map<String, Sum> suites = new LinkedHashMap<>();

    /** A job of {@code suite} took {@code measured} seconds. */
    void finished(String suite, double estimated, double measured) {
        for (Sum sum : new Sum[] {all, suites.computeIfAbsent(suite, _ -> new Sum())}) {
            sum.estimated += estimated;
            sum.measured += measured;
        }
    }

    /** How many seconds a job of {@code suite} will take. */
    double expected(String suite, double estimated) {
        double overall = all.factor(1);
        Sum sum = suites.get(suite);
        return estimated * (sum == null ? overall : sum.factor(overall));
    }

    /** Such as {@code 40 s}, {@code 7 min}, {@code 1 h 5 min}. */
    public static String words(double seconds) {
        if (seconds < 90) {
            return Math.round(seconds) + " s";
        }
        long minutes = Math.round(seconds / 60);
        return minutes < 60 ? minutes + " min" : minutes / 60 + " h " + minutes % 60 + " min";
    }
}
