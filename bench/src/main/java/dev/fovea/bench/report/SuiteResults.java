package dev.fovea.bench.report;

import dev.fovea.bench.run.JobRecord;
import dev.fovea.bench.run.Refusal;
import dev.fovea.bench.run.Side;
import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Suite;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** What the jobs of one suite found together. */
record SuiteResults(Suite suite, List<JobRecord> records) {
    /** The sides, in the order in which they first ran. */
    List<String> sides() {
        Set<String> sides = new LinkedHashSet<>();
        records.forEach(record -> sides.addAll(record.sides().keySet()));
        return List.copyOf(sides);
    }

    /** The sides that have figures, in the same order. */
    List<String> measured() {
        List<String> measured = new ArrayList<>(sides());
        measured.removeIf(side -> records.stream()
                .flatMap(record -> record.measurements().stream())
                .noneMatch(measurement -> measurement.side().equals(side)));
        return measured;
    }

    /** Those versions of a side that any job saw. */
    String version(String side) {
        return of(side).stream().map(Side::version).filter(Objects::nonNull).distinct()
                .collect(Collectors.joining(", "));
    }

    /** All settings of a side, each once. */
    String settings(String side) {
        return of(side).stream().flatMap(one -> one.settings().stream()).distinct()
                .collect(Collectors.joining("; "));
    }

    /** The sides that were not there, with the reasons. */
    Map<String, String> absent() {
        Map<String, String> absent = new LinkedHashMap<>();
        records.forEach(record -> record.sides().forEach((name, side) -> {
            if (side.absent() != null) {
                absent.putIfAbsent(name, side.absent());
            }
        }));
        return absent;
    }

    List<Refusal> refusals() {
        return records.stream().flatMap(record -> record.refusals().stream()).toList();
    }

    Map<String, List<Refusal>> refusalsBySide() {
        return refusals().stream()
                .collect(Collectors.groupingBy(Refusal::side, LinkedHashMap::new, Collectors.toList()));
    }

    double seconds() {
        return records.stream().mapToDouble(JobRecord::seconds).sum();
    }

    /**
     * The figures of one metric by row and side. A row is named by the values of {@code parameters}.
     *
     * @param where the parameters that all have in common, and their values
     * @throws IllegalStateException if a row holds several pieces of work
     */
    Map<List<String>, Map<String, Measurement>> rows(
            String metric, List<String> parameters, Map<String, String> where, Collection<String> sides) {
        Map<List<String>, Map<String, Measurement>> rows = new LinkedHashMap<>();
        for (JobRecord record : records) {
            for (Measurement measurement : record.measurements()) {
                Map<String, String> work = measurement.work();
                if (!measurement.metric().equals(metric)
                        || measurement.samples().isEmpty()
                        || !(sides.isEmpty() || sides.contains(measurement.side()))
                        || !work.entrySet().containsAll(where.entrySet())
                        || !work.keySet().containsAll(parameters)) {
                    continue;
                }
                List<String> row = parameters.stream().map(work::get).toList();
                Measurement other = rows.computeIfAbsent(row, _ -> new LinkedHashMap<>())
                        .putIfAbsent(measurement.side(), measurement);
                if (other != null) {
                    throw new IllegalStateException(suite.name() + " has several figures " + metric + " of "
                            + measurement.side() + " where " + parameters + " are " + row + ": for " + other.work()
                            + " and for " + work);
                }
            }
        }
        return rows;
    }

    /** {@code asked}, or if that is empty all, as far as a row has figures of them. */
    List<String> measured(List<String> asked, Collection<Map<String, Measurement>> rows) {
        List<String> measured = new ArrayList<>(asked.isEmpty() ? sides() : asked);
        measured.removeIf(side -> rows.stream().noneMatch(row -> row.containsKey(side)));
        return measured;
    }

    private List<Side> of(String side) {
        return records.stream().map(record -> record.sides().get(side)).filter(Objects::nonNull).toList();
    }
}
