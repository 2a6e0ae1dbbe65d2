package dev.fovea.bench.load;

import java.util.Random;

/** When requests arrive: at random, independently of each other, as those of many users do (a Poisson process). */
final class Arrivals {
    private Arrivals() {}

    /**
     * So many arrivals at a mean rate, the same for the same seed.
     *
     * @param rate arrivals by the second
     * @return nanoseconds from the start, ascending
     */
    static long[] poisson(double rate, int count, long seed) {
        if (!(rate > 0)) {
            throw new IllegalArgumentException("rate must be positive, got " + rate);
        }
        Random random = new Random(seed);
        long[] arrivals = new long[count];
        double seconds = 0;
        for (int i = 0; i < count; i++) {
            seconds -= Math.log(1 - random.nextDouble()) / rate;
            arrivals[i] = (long) (seconds * 1e9);
        }
        return arrivals;
    }
}
