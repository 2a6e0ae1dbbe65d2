package dev.fovea.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code fovea}. */
public final class Main {
    private Main() {}

    /**
     * Runs the command and ends the process with 0 for success, 1 for a failure or 2 for wrong usage.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        // What the libraries log is one plain line on standard error, as every other message is.
        System.setProperty("java.util.logging.SimpleFormatter.format", "fovea: %5$s%n");
        Streams streams = Streams.ofProcess();
        int status;
        try {
            status = run(streams, CommandLineText.ofProcess(args));
        } catch (IOException e) {
            status = Failures.report(e, streams.err(), false);
        }
        System.exit(status);
    }

    /** Runs the command on {@code streams}; returns the exit status and throws nothing. */
    static int run(Streams streams, String... args) {
        FoveaCommand fovea = new FoveaCommand();
        try {
            int status = execute(fovea, streams, args);
            if (status == CommandLine.ExitCode.OK) {
                streams.out().flush();
            } else {
                flushWhatFailed(streams);
            }
            return status;
        } catch (Throwable failure) {
            return Failures.report(failure, streams.err(), fovea.verbose());
        }
    }

    /** Writes what a command that failed has left. That this fails, too, is nothing to say: its failure has been said. */
    private static void flushWhatFailed(Streams streams) {
        try {
            streams.out().flush();
        } catch (IOException e) {
            // See above.
        }
    }

    private static int execute(FoveaCommand fovea, Streams streams, String... args) throws IOException {
        StringWriter help = new StringWriter();
        CommandLine commandLine = new CommandLine(fovea)
                .addSubcommand(new SimilarCommand(streams))
                .addSubcommand(new EmbedCommand(streams))
                .addSubcommand(new RerankCommand(streams))
                .addSubcommand(new ClassifyCommand(streams))
                .addSubcommand(new TagCommand(streams))
                .addSubcommand(new AttendCommand(streams))
                .addSubcommand(new GenerateCommand(streams))
                .addSubcommand(new ChatCommand(streams))
                .addSubcommand(new ServeCommand(streams))
                .addSubcommand(new CommandLine(new ModelsCommand(streams))
                        .addSubcommand(new ModelsPullCommand(streams))
                        .addSubcommand(new ModelsShowCommand(streams))
                        .addSubcommand(new ModelsConvertCommand(streams)))
                .addSubcommand(new InfoCommand(streams))
                .setOut(new PrintWriter(help))
                .setErr(streams.err())
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, _) -> reportUsage(e, streams.err()))
                .setExecutionExceptionHandler((e, _, _) -> Failures.report(e, streams.err(), fovea.verbose()));
        int status = commandLine.execute(args);
        if (!help.getBuffer().isEmpty()) {
            streams.print(help.getBuffer());
        }
        return status;
    }

    private static int reportUsage(ParameterException failure, PrintWriter err) {
        CommandLine command = failure.getCommandLine();
        // Picocli begins some messages with a word too many, and has one twice in others.
        String message = Failures.oneLine(failure.getMessage().replaceFirst("^Error: ", "").replace("option option", "option"));
        String hint = "";
        if (failure instanceof UnmatchedArgumentException unmatched) {
            if (unmatched.isUnknownOption()) {
                hint = "; put texts that begin with - after --";
            } else if (!command.getSubcommands().isEmpty()) {
                message = "no such command: " + Failures.oneLine(unmatched.getUnmatched().getFirst());
            }
        }
        err.println("fovea: " + Character.toLowerCase(message.charAt(0)) + message.substring(1) + hint
                + " (see '" + command.getCommandSpec().qualifiedName() + " --help')");
        return CommandLine.ExitCode.USAGE;
    }
}
