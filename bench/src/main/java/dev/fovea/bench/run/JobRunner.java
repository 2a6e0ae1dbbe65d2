package dev.fovea.bench.run;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the steps of a schedule one after the other, and keeps what each found as soon as it has finished. */
final class JobRunner {
    /** Names a side whose results are to be wrong: the tests' hook. */
    private static final String SABOTAGED = "fovea.bench.sabotaged";

    private final Schedule schedule;
    private final RawResults results;
    private final Path log;
    private final Progress progress;
    private final Map<String, String> failures = new LinkedHashMap<>();
    private final TimeLeft timeLeft = new TimeLeft();
    private int finished;
    private boolean interrupted;

    JobRunner(Schedule schedule, RawResults results, Path log, Progress progress) {
        this.schedule = schedule;
        this.results = results;
        this.log = log;
        this.progress = progress;
    }

    /** Runs all; returns the jobs that failed, with the reason. */
    Map<String, String> run() throws IOException {
        Thread hook = new Thread(this::interrupt, "fovea-interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
        PrintStream out = System.out;
        PrintStream err = System.err;
        try (OutputStream file = Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                PrintStream logged = new PrintStream(file, true, StandardCharsets.UTF_8)) {
            // What JMH and the peers print would run into the progress bar.
            System.setOut(logged);
            System.setErr(logged);
            double done = 0;
            for (int i = 0; i < schedule.steps().size() && !isInterrupted(); i++) {
                progress.begin(position(i, done));
                done += run(schedule.steps().get(i));
            }
        } finally {
            System.setOut(out);
            System.setErr(err);
            removeHook(hook);
        }
        return failures;
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending, and the hook is what ends it.
        }
    }

    private Progress.Position position(int i, double done) {
        List<Schedule.Step> steps = schedule.steps();
        double rest = steps.subList(i + 1, steps.size()).stream().mapToDouble(this::expected).sum();
        int before = schedule.total() - steps.size();
        return new Progress.Position(
                steps.get(i).name(), before + i + 1, schedule.total(), done, expected(steps.get(i)), rest);
    }

    private double expected(Schedule.Step step) {
        return timeLeft.expected(step.suite().name(), step.job().estimatedSeconds());
    }

    /** Runs one job; returns its seconds. */
    private double run(Schedule.Step step) throws IOException {
        JobRecord record = new JobRecord(step.suite().name(), step.job().name());
        long start = System.nanoTime();
        try {
            step.job().run(record.findings(System.getProperty(SABOTAGED)));
        } catch (Exception | LinkageError e) {
            fail(step, e);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        record.setSeconds(seconds);
        timeLeft.finished(step.suite().name(), step.job().estimatedSeconds(), seconds);
        synchronized (this) {
            // What an interrupt made of a job is not what it found.
            if (!interrupted && !failures.containsKey(step.name())) {
                results.keep(record);
                finished++;
                record.refusals().stream().map(Refusal::side).distinct().forEach(side ->
                        progress.say(step.name() + ": " + side + " gave a wrong result and was not timed"));
            }
        }
        return seconds;
    }

    private void fail(Schedule.Step step, Throwable e) {
        e.printStackTrace();
        try {
            // An interrupt from a terminal reaches the JVMs of the job too, and perhaps first.
            Thread.sleep(500);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (!interrupted) {
                String message = e.getMessage() == null ? e.toString() : e.getMessage();
                String reason = message.lines().findFirst().orElse("");
                failures.put(step.name(), reason);
                progress.say(step.name() + " failed: " + reason + " (see " + log + ")");
            }
        }
    }

    private synchronized boolean isInterrupted() {
        return interrupted;
    }

    private synchronized void interrupt() {
        interrupted = true;
        progress.close();
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
        int kept = schedule.total() - schedule.steps().size() + finished;
        progress.say("interrupted; " + kept + " of " + schedule.total()
                + " jobs are kept; run the same command to continue");
    }
}
