package dev.fovea.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command without a subcommand: shows the help. */
@Command(
        name = "fovea",
        description = "Sentence embeddings and language models in the JVM.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = FoveaCommand.Version.class,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:success", "1:failure", "2:wrong usage"})
final class FoveaCommand implements Callable<Integer> {
    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    private boolean verbose;

    @Spec
    private CommandSpec spec;

    /** Whether errors come with their trace. */
    boolean verbose() {
        return verbose;
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getOut());
        return ExitCode.OK;
    }

    /** The version that the build wrote into the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"fovea " + number()};
        }

        /** Such as {@code 0.1.0}. */
        static String number() {
            try (InputStream in = FoveaCommand.class.getResourceAsStream("version.txt")) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
