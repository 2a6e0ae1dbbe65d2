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
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** {@code fovea info}: which backends run here, and why the others do not. */
@Command(
        name = "info",
        description = "Show version, backends, instruction sets, threads, BLAS and caches.")
final class InfoCommand implements Callable<Integer> {
    /** The cache's directories. */
    private static final List<String> CACHE_PARTS = List.of("models", "native", "tokenizers");

    private final Streams streams;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    InfoCommand(Streams streams) {
        this.streams = streams;
    }

    /** A backend: why it does not run here, or null and how it runs. */
    private record BackendState(
            Backend backend, String missing, int threads, String isa, List<String> isas, String blas, String device) {
        static BackendState of(Backend backend) {
            try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(backend))) {
                return new BackendState(backend, null, engine.threads(), engine.isa(), engine.availableIsas(),
                        Failures.oneLine(engine.blas()), Failures.oneLine(engine.device()));
            } catch (UnsupportedOperationException | IllegalArgumentException e) {
                String reason = Engine.unavailable(backend).orElse(e.getMessage());
                return new BackendState(backend, Failures.oneLine(reason), 0, null, List.of(), null, null);
            }
        }

        boolean runs() {
            return missing == null;
        }
    }

    /** What {@code --backend auto} takes. */
    private static Backend automatic(List<BackendState> backends) {
        return BackendChoice.automatic(backend -> backends.get(backend.ordinal()).runs());
    }

    @Override
    public Integer call() throws IOException {
        List<BackendState> backends = Stream.of(Backend.values()).map(BackendState::of).toList();
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
                table.row(name, "not available: " + state.missing());
                continue;
            }
            if (state.backend() == Backend.CUDA) {
                table.row(name, "available, " + state.isa());
                table.row("  GPU", state.device());
                continue;
            }
            table.row(name, "available, " + state.threads() + (state.threads() == 1 ? " thread" : " threads"));
            if (state.backend() == Backend.NATIVE) {
                table.row("  ISA", state.isa() + " (available: " + String.join(", ", state.isas()) + ")");
                table.row("  BLAS", state.blas());
            }
        }
        table.row("auto", "takes " + LowerCaseEnum.spelling(automatic(backends)));
        table.row("JDK", jdk());
        table.row("platform", platform());
        table.row("cache", CacheDirectory.user().root().toString());
        for (String part : CACHE_PARTS) {
            List<String> entries = cached(part);
            table.row("  " + part, entries.isEmpty() ? "none" : String.join(", ", entries));
        }
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
                writeArray(out.name("availableIsas"), state.isas());
                out.name("blas").value(state.blas());
                if (state.backend() == Backend.CUDA) {
                    out.name("device").value(state.device());
                }
            } else {
                out.name("reason").value(state.missing());
            }
            out.endObject();
        }
        out.endArray();
        out.name("auto").value(LowerCaseEnum.spelling(automatic(backends)));
        out.name("jdk").value(jdk());
        out.name("platform").value(platform());
        out.name("cache").value(CacheDirectory.user().root().toString());
        out.name("cached").beginObject();
        for (String part : CACHE_PARTS) {
            writeArray(out.name(part), cached(part));
        }
        out.endObject();
        out.endObject().flush();
        streams.print("\n");
    }

    private static void writeArray(JsonWriter out, List<String> values) throws IOException {
        out.beginArray();
        for (String value : values) {
            out.value(value);
        }
        out.endArray();
    }

    private static String jdk() {
        return Runtime.version() + " (" + System.getProperty("java.vm.vendor") + ", " + System.getProperty("java.home")
                + ")";
    }

    private static String platform() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch");
    }

    /** What lies in one of the cache's directories. */
    private static List<String> cached(String part) throws IOException {
        Path directory = CacheDirectory.user().root().resolve(part);
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (var files = Files.list(directory)) {
            return files.filter(Files::isDirectory)
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }
}
