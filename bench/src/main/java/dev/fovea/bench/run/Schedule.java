package dev.fovea.bench.run;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Suite;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The jobs of some suites, those that have finished before and those that are to run. */
final class Schedule {
    /** A job that is to run. */
    record Step(Suite suite, Job job) {
        String name() {
            return suite.name() + " " + job.name();
        }
    }

    private final Map<Suite, List<Job>> jobs = new LinkedHashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final RawResults results;
    private int total;

    /** @param only what the names of jobs contain */
    Schedule(List<Suite> suites, Effort effort, RawResults results, String only) throws IOException {
        this.results = results;
        for (Suite suite : suites) {
            List<Job> ofSuite = suite.jobs(effort).stream().filter(job -> job.name().contains(only)).toList();
            jobs.put(suite, ofSuite);
            Set<String> names = new HashSet<>();
            for (Job job : ofSuite) {
                if (!names.add(job.name())) {
                    throw new IllegalArgumentException("two jobs of " + suite.name() + " are named " + job.name());
                }
                if (results.find(suite, job) == null) {
                    steps.add(new Step(suite, job));
                }
                total++;
            }
        }
    }

    /** The jobs that have not finished yet. */
    List<Step> steps() {
        return steps;
    }

    String names() {
        return jobs.values().stream().flatMap(List::stream).map(Job::name).collect(Collectors.joining(", "));
    }

    /** How many jobs there are, finished or not. */
    int total() {
        return total;
    }

    double estimatedSeconds() {
        return steps.stream().mapToDouble(step -> step.job().estimatedSeconds()).sum();
    }

    /** What the finished jobs found, in the order of the jobs. */
    Map<Suite, List<JobRecord>> records() throws IOException {
        Map<Suite, List<JobRecord>> records = new LinkedHashMap<>();
        for (Map.Entry<Suite, List<Job>> suite : jobs.entrySet()) {
            List<JobRecord> found = new ArrayList<>();
            for (Job job : suite.getValue()) {
                JobRecord record = results.find(suite.getKey(), job);
                if (record != null) {
                    found.add(record);
                }
            }
            records.put(suite.getKey(), found);
        }
        return records;
    }
}
