package dev.fovea.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class OpenLoopTest {
    private static final double MILLISECOND = 1e6;

    @Test
    void shouldChargeAStallToAllWhoArriveMeanwhile() throws Exception {
        // 100 arrivals, one every 5 ms; the eleventh takes 250 ms, the others nothing.
        long[] arrivals = LongStream.range(0, 100).map(i -> i * 5_000_000).toArray();
        OpenLoop.Service service = request -> {
            if (request == 10) {
                sleep(250);
            }
        };

        Histogram latencies = OpenLoop.run(arrivals, List.of(service)).latencies();

        assertEquals(100, latencies.getTotalCount());
        assertTrue(latencies.getMaxValue() >= 249 * MILLISECOND, "max " + latencies.getMaxValue());
        // Some 50 have arrived during the stall. A loop of call after call would count one that was slow.
        long waited = latencies.getCountBetweenValues((long) (20 * MILLISECOND), Long.MAX_VALUE / 4);
        assertTrue(waited >= 40 && waited <= 80, waited + " waited");
        assertTrue(latencies.getValueAtPercentile(75) >= 100 * MILLISECOND,
                "p75 " + latencies.getValueAtPercentile(75));
        assertTrue(latencies.getValueAtPercentile(20) < 50 * MILLISECOND, "p20 " + latencies.getValueAtPercentile(20));
    }

    @Test
    void shouldLetOtherCallersServeDuringAStall() throws Exception {
        long[] arrivals = LongStream.range(0, 50).map(i -> i * 5_000_000).toArray();
        OpenLoop.Service service = request -> {
            if (request == 5) {
                sleep(200);
            }
        };

        Histogram latencies = OpenLoop.run(arrivals, List.of(service, service)).latencies();

        assertEquals(50, latencies.getTotalCount());
        long waited = latencies.getCountBetweenValues((long) (150 * MILLISECOND), Long.MAX_VALUE / 4);
        assertEquals(1, waited);
    }

    @Test
    void shouldServeEachArrivalOnceAndNotBeforeItsTime() throws Exception {
        long[] arrivals = LongStream.range(0, 40).map(i -> i * 1_000_000).toArray();
        Set<Integer> served = Collections.newSetFromMap(new ConcurrentHashMap<>());
        OpenLoop.Service service = request -> assertTrue(served.add(request), "twice: " + request);

        OpenLoop.Outcome outcome = OpenLoop.run(arrivals, Collections.nCopies(4, service));

        assertEquals(40, served.size());
        assertTrue(outcome.seconds() >= 0.039, "took " + outcome.seconds());
    }

    @Test
    void shouldCountWhatCallersAllocate() throws Exception {
        byte[][] sink = new byte[1][];
        OpenLoop.Outcome outcome =
                OpenLoop.run(new long[1000], List.of(request -> sink[0] = new byte[10_000]));

        double perCall = outcome.allocated() / 1000.0;
        assertTrue(perCall >= 10_000 && perCall < 10_300, perCall + " bytes per call");
    }

    @Test
    void shouldItselfAllocateNextToNothing() throws Exception {
        long[] arrivals = LongStream.range(0, 2000).map(i -> i * 20_000).toArray();

        OpenLoop.Outcome outcome = OpenLoop.run(arrivals, List.of(_ -> {}));

        assertTrue(outcome.allocated() / 2000.0 < 16, outcome.allocated() + " bytes for 2000 calls");
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
