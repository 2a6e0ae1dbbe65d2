package dev.fovea.bench.run;

import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Measurement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What one job found: an entry of the raw results. */
public final class JobRecord {
    private final String suite;
    private final String job;
    private double seconds;
    private final Map<String, Side> sides = new LinkedHashMap<>();
    private final List<Refusal> refusals = new ArrayList<>();
    private final List<Measurement> measurements = new ArrayList<>();

    JobRecord(String suite, String job) {
        this.suite = suite;
        this.job = job;
    }

    /** The name of its suite. */
    public String suite() {
        return suite;
    }

    /** The name of the job within its suite. */
    public String job() {
        return job;
    }

    /** How long it took. */
    public double seconds() {
        return seconds;
    }

    /** What each side said of itself, in the order in which they ran. */
    public Map<String, Side> sides() {
        return sides;
    }

    /** The sides that gave a wrong result. */
    public List<Refusal> refusals() {
        return refusals;
    }

    /** The figures. */
    public List<Measurement> measurements() {
        return measurements;
    }

    void setSeconds(double seconds) {
        this.seconds = seconds;
    }

    /** Writes findings into this record; falsifies {@code sabotaged}, if it is not null. */
    Findings findings(String sabotaged) {
        return new Findings() {
            @Override
            public void measured(Measurement measurement) {
                side(measurement.side());
                measurements.add(measurement);
            }

            @Override
            public void absent(String side, String reason) {
                side(side).setAbsent(reason);
            }

            @Override
            public void refused(String side, Map<String, String> work, String reason) {
                side(side);
                refusals.add(new Refusal(side, work, reason));
            }

            @Override
            public void version(String side, String version) {
                side(side).setVersion(version);
            }

            @Override
            public void setting(String side, String setting) {
                side(side).addSetting(setting);
            }

            @Override
            public boolean sabotaged(String side) {
                return side.equals(sabotaged);
            }
        };
    }

    private Side side(String name) {
        return sides.computeIfAbsent(Objects.requireNonNull(name, "side"), _ -> new Side());
    }
}
