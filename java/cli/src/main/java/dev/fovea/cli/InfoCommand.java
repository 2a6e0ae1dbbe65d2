package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.cli.TextTable.Align;
import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** {@code fovea info}: what runs here, and why what does not. */
@Command(name = "info", description = "Show what Fovea runs on here: backends, instruction sets, threads, caches.")
final class InfoCommand implements Callable<Integer> {
    private final Streams streams;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    InfoCommand(Streams streams) {
        this.streams = streams;
    }

    /** A backend: why it does not run here, or null and how it runs. */
    private record BackendState(Backend backend, String missing, int threads, String isa, List<String> isas) {
        static BackendState of(Backend backend) {
            try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(backend))) {
                return new BackendState(backend, null, engine.threads(), engine.isa(), engine.availableIsas());
            } catch (UnsupportedOperationException | IllegalArgumentException e) {
                return new BackendState(backend, Failures.oneLine(e.getMessage()), 0, null, List.of());
            }
        }

        boolean runs() {
            return missing == null;
        }
    }

    @Override
    public Integer call() throws IOException {
        List<BackendState> backends = List.of(BackendState.of(Backend.NATIVE), BackendState.of(Backend.JAVA));
        if (json) {
            writeJson(backends);
        } else {
            writeTable(backends);
        }
        return ExitCode.OK;
    }

    private void writeTable(List<BackendState> backends) throws IOException {
        TextTable table = new TextTable(Align.LEFT, Align.LEFT);
        table.row("version", FoveaCommand.Version.number());
        for (BackendState state : backends) {
            String name = LowerCaseEnum.spelling(state.backend());
            if (!state.runs()) {
                table.row(name, "missing: " + state.missing());
                continue;
            }
            table.row(name, "available, " + state.threads() + (state.threads() == 1 ? " thread" : " threads"));
            if (state.backend() == Backend.NATIVE) {
                table.row("  ISA", state.isa() + " (runs here: " + String.join(", ", state.isas()) + ")");
            }
        }
        table.row("JDK", jdk());
        table.row("platform", platform());
        table.row("cache", cache());
        streams.print(table.toString());
    }

    private void writeJson(List<BackendState> backends) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginObject();
        out.name("version").value(FoveaCommand.Version.number());
        out.name("backends").beginArray();
        for (BackendState state : backends) {
            out.beginObject();
            out.name("name").value(LowerCaseEnum.spelling(state.backend()));
            out.name("available").value(state.runs());
            if (state.runs()) {
                out.name("threads").value(state.threads());
                out.name("isa").value(state.isa());
                out.name("availableIsas").beginArray();
                for (String isa : state.isas()) {
                    out.value(isa);
                }
                out.endArray();
            } else {
                out.name("reason").value(state.missing());
            }
            out.endObject();
        }
        out.endArray();
        out.name("jdk").value(jdk());
        out.name("platform").value(platform());
        out.name("cache").value(CacheDirectory.user().root().toString());
        out.endObject().flush();
        streams.print("\n");
    }

    private static String jdk() {
        return Runtime.version() + " (" + System.getProperty("java.vm.vendor") + ", " + System.getProperty("java.home")
                + ")";
    }

    private static String platform() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch");
    }

    /** The cache's root and what lies in its two parts. */
    private static String cache() throws IOException {
        Path root = CacheDirectory.user().root();
        return root + " (models: " + entries(root.resolve("models")) + "; native: " + entries(root.resolve("native"))
                + ")";
    }

    private static String entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return "none";
        }
        try (var files = Files.list(directory)) {
            String names = files.filter(Files::isDirectory)
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .collect(Collectors.joining(", "));
            return names.isEmpty() ? "none" : names;
        }
    }
}
