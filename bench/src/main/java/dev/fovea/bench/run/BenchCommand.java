package dev.fovea.bench.run;

import dev.fovea.bench.report.Report;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Suite;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code fovea bench}. */
@Command(
        name = "fovea bench",
        description = {
            "Compare Fovea with its alternatives on this machine, and write a report.%n",
            "An interrupted run keeps the finished jobs. The same command continues from there.%n"
        },
        footerHeading = "%nSuites:%n",
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:success", "1:a job failed", "2:wrong usage"})
public final class BenchCommand implements Callable<Integer> {
    /** Set by the launcher if standard error is a terminal; Java cannot find out. */
    private static final String TERMINAL = "FOVEA_TERMINAL";

    @Parameters(paramLabel = "SUITE", arity = "0..*", description = "What to measure (default: all suites).")
    private List<String> names = new ArrayList<>();

    @Option(names = "--quick", description = "Measure less: all suites in under ten minutes on two cores.")
    private boolean quick;

    @Option(names = "--only", paramLabel = "TEXT", description = "Run the jobs whose names contain TEXT, such as Q4.K.M-2.")
    private String only = "";

    @Option(names = "--smoke", hidden = true, description = "One iteration of the smallest work.")
    private boolean smoke;

    @Option(names = "--out", paramLabel = "DIR", description = "Where the results go (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("fovea-bench");

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
    private boolean help;

    @Spec
    private CommandSpec spec;

    private final List<Suite> known;
    private final PrintStream err;

    BenchCommand(List<Suite> known, PrintStream err) {
        this.known = known;
        this.err = err;
    }

    /**
     * Runs the command and ends the process with 0 for success, 1 for a failure or 2 for wrong usage.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        System.exit(run(Suites.all(), System.out, System.err, args));
    }

    /** Runs the command on {@code suites}; returns the exit status. */
    static int run(List<Suite> suites, PrintStream out, PrintStream err, String... args) {
        CommandLine commandLine = new CommandLine(new BenchCommand(suites, err));
        commandLine.getCommandSpec().usageMessage().footer(suites.stream()
                .map(suite -> String.format("  %-12s%s", suite.name(), suite.title()))
                .toArray(String[]::new));
        return commandLine
                .setUsageHelpWidth(100)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .setParameterExceptionHandler((e, _) -> {
                    String message = e.getMessage().lines().findFirst().orElse("");
                    err.println("fovea: " + Character.toLowerCase(message.charAt(0)) + message.substring(1)
                            + " (see 'fovea bench --help')");
                    return ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((e, _, _) -> {
                    err.println("fovea: " + message(e));
                    return e instanceof IllegalArgumentException ? ExitCode.USAGE : ExitCode.SOFTWARE;
                })
                .execute(args);
    }

    private static String message(Exception failure) {
        return switch (failure) {
            case UncheckedIOException e -> message(e.getCause());
            case FileAlreadyExistsException e -> "not a directory: " + e.getFile();
            case AccessDeniedException e -> "permission denied: " + e.getFile();
            case IOException e -> String.valueOf(e.getMessage());
            case IllegalArgumentException e -> String.valueOf(e.getMessage());
            default -> "unexpected " + failure;
        };
    }

    @Override
    public Integer call() throws IOException {
        List<Suite> selected = select();
        Effort effort = smoke ? Effort.SMOKE : quick ? Effort.QUICK : Effort.FULL;
        Circumstances circumstances = Circumstances.here(effort);
        RawResults results = RawResults.open(out, circumstances);
        Schedule schedule = new Schedule(selected, effort, results, only);
        if (schedule.total() == 0) {
            throw new ParameterException(spec.commandLine(), "no job's name contains '" + only + "'; there are "
                    + new Schedule(selected, effort, results, "").names());
        }
        announce(schedule);
        Map<String, String> failures;
        try (MachineLock _ = MachineLock.take();
                Progress progress = new Progress(err, System.getenv(TERMINAL) != null)) {
            failures = new JobRunner(schedule, results, out.resolve("bench.log"), progress).run();
        }
        // Earlier runs may have left results of other suites in the directory.
        Map<Suite, List<JobRecord>> records = new Schedule(known, effort, results, "").records();
        records.keySet().removeIf(suite -> records.get(suite).isEmpty() && !selected.contains(suite));
        Path page = new Report(circumstances, command(), records, failures).write(out);
        spec.commandLine().getOut().println(page);
        return failures.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private List<Suite> select() {
        Map<String, Suite> byName = new LinkedHashMap<>();
        known.forEach(suite -> byName.put(suite.name(), suite));
        for (String name : names) {
            if (!byName.containsKey(name)) {
                throw new ParameterException(spec.commandLine(),
                        "no such suite: " + name + "; the suites are " + String.join(", ", byName.keySet()));
            }
        }
        return known.stream().filter(suite -> names.isEmpty() || names.contains(suite.name())).toList();
    }

    private void announce(Schedule schedule) {
        int before = schedule.total() - schedule.steps().size();
        err.println("fovea: " + schedule.steps().size() + (schedule.steps().size() == 1 ? " job" : " jobs")
                + (before > 0 ? " to run, " + before + " already finished" : "")
                + "; this takes about " + TimeLeft.words(schedule.estimatedSeconds()) + "; results in " + out);
    }

    /** The command that produces these results. */
    private String command() {
        return "./fovea bench"
                + names.stream().map(name -> " " + name).collect(Collectors.joining())
                + (smoke ? " --smoke" : quick ? " --quick" : "")
                + (only.isEmpty() ? "" : " --only " + only)
                + " --out " + out;
    }
}
