package dev.fovea.bench.load;

import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.encode.TokenBatch;
import dev.fovea.bench.encode.TokenEncoder;
import dev.fovea.bench.study.ChildJvm;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.study.WarmUp;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/** A side under load, in a JVM of its own. {@link LoadJob} starts it. */
public final class LoadMain {
    /** How the line begins that says the most requests by the second. */
    static final String CAPACITY = "capacity ";

    private static final int TOKENS = 16;
    private static final int REQUESTS = 64;
    private static final long SEED = 7;

    private LoadMain() {}

    /**
     * Measures.
     *
     * @param arguments side, callers, seconds, and the rate of arrivals by the second, or 0 to find the most that the
     *     side serves
     */
    public static void main(String[] arguments) throws Exception {
        String side = arguments[0];
        int callers = Integer.parseInt(arguments[1]);
        double seconds = Double.parseDouble(arguments[2]);
        double rate = Double.parseDouble(arguments[3]);
        ChildJvm.speak(() -> {
            List<OpenLoop.Service> services = services(side, callers);
            double capacity = capacity(services, rate == 0 ? seconds : WarmUp.SECONDS);
            if (rate == 0) {
                System.out.println(CAPACITY + capacity);
            } else {
                measure(services, rate, seconds);
            }
        });
    }

    private static List<OpenLoop.Service> services(String side, int callers) throws Exception {
        List<TokenBatch> requests = TokenBatch.ofProse(REQUESTS, 1, TOKENS);
        MiniLm model = MiniLm.load(side, 1);
        Verdict.version(model.version());
        Verdict.setting(model.setting());
        TokenEncoder reference = MiniLm.referenceOf(side).encoder(requests.subList(0, 1));
        reference.encode(0);
        List<OpenLoop.Service> services = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            TokenEncoder encoder = model.encoder(requests);
            encoder.encode(0);
            MiniLm.check(side, reference.vectors(), encoder.vectors());
            services.add(request -> encoder.encode(request % REQUESTS));
        }
        return services;
    }

    /** Requests by the second that are served when all stand in line from the start; also what warms up. */
    private static double capacity(List<OpenLoop.Service> services, double seconds) throws Exception {
        int count = 16 * services.size();
        OpenLoop.Outcome outcome = OpenLoop.run(new long[count], services);
        while (outcome.seconds() < seconds) {
            count = (int) Math.ceil(count * Math.clamp(1.1 * seconds / outcome.seconds(), 1.5, 8));
            outcome = OpenLoop.run(new long[count], services);
        }
        return count / outcome.seconds();
    }

    private static void measure(List<OpenLoop.Service> services, double rate, double seconds) throws Exception {
        int count = Math.max(1, (int) Math.round(rate * seconds));
        long[] arrivals = Arrivals.poisson(rate, count, SEED);
        long[] pausesBefore = pauses();
        OpenLoop.Outcome outcome = OpenLoop.run(arrivals, services);
        long[] pausesAfter = pauses();
        Histogram latencies = outcome.latencies();
        Verdict.measured("rate", rate);
        Verdict.measured("p50", latencies.getValueAtPercentile(50) * 1e-3);
        Verdict.measured("p90", latencies.getValueAtPercentile(90) * 1e-3);
        Verdict.measured("p99", latencies.getValueAtPercentile(99) * 1e-3);
        Verdict.measured("p99.9", latencies.getValueAtPercentile(99.9) * 1e-3);
        Verdict.measured("max", latencies.getMaxValue() * 1e-3);
        Verdict.measured("allocation", (double) outcome.allocated() / count);
        Verdict.measured("pauses", pausesAfter[0] - pausesBefore[0]);
        Verdict.measured("paused", pausesAfter[1] - pausesBefore[1]);
    }

    /** How often collections have stopped the program, and for how many milliseconds in all. */
    private static long[] pauses() {
        long[] pauses = new long[2];
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            pauses[0] += collector.getCollectionCount();
            pauses[1] += collector.getCollectionTime();
        }
        return pauses;
    }
}
