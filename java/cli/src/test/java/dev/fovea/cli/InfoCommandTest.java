package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InfoCommandTest {
    private static final String NO_VECTOR_MODULE = "the JVM was started without --add-modules jdk.incubator.vector";

    @TempDir
    private Path directory;

    /** The rows of the table. A row of a part begins with its indent. */
    private static Map<String, String> rows(String output) {
        Map<String, String> rows = new LinkedHashMap<>();
        for (String line : output.lines().toList()) {
            String[] cells = line.split("(?<=\\S) +", 2);
            assertNull(rows.put(cells[0], cells[1]), line);
        }
        return rows;
    }

    private static JsonObject json(String output) {
        return JsonParser.parseString(output).getAsJsonObject();
    }

    private static JsonObject backend(JsonObject info, Backend backend) {
        return info.getAsJsonArray("backends").get(backend.ordinal()).getAsJsonObject();
    }

    private static JsonObject available(String name, int threads, String isa, List<String> isas, String blas) {
        JsonObject state = new JsonObject();
        state.addProperty("name", name);
        state.addProperty("available", true);
        state.addProperty("threads", threads);
        state.addProperty("isa", isa);
        JsonArray names = new JsonArray();
        isas.forEach(names::add);
        state.add("availableIsas", names);
        state.addProperty("blas", blas);
        return state;
    }

    private static JsonObject missing(String name, String reason) {
        JsonObject state = new JsonObject();
        state.addProperty("name", name);
        state.addProperty("available", false);
        state.addProperty("reason", reason);
        return state;
    }

    /** What the native backend must be said to be, by the engine itself. */
    private static JsonObject nativeBackend() {
        try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE))) {
            assertTrue(engine.blas().contains("OpenBLAS 0."), engine.blas());
            return available("native", engine.threads(), engine.isa(), engine.availableIsas(), engine.blas());
        }
    }

    /** The output of {@code info} in a JVM of its own, which it ends with 0. */
    private String inProcess(Map<String, String> environment, List<String> options, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED", "-Dfovea.cache=" + System.getProperty("fovea.cache")));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "info"));
        command.addAll(List.of(args));
        Path errors = directory.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), Files.readString(errors));
        return output;
    }

    private static List<String> nativePath(Path path) {
        return List.of("-Dfovea.native.path=" + path);
    }

    @Test
    void shouldSayWhatRunsHere() {
        Map<String, String> rows = rows(CliRun.of("info").output());
        assertEquals(List.of("version", "native", "  ISA", "  BLAS", "java", "vector", "cuda", "auto", "JDK",
                "platform", "cache", "  models", "  native", "  tokenizers"), List.copyOf(rows.keySet()));
        assertTrue(rows.get("version").matches("\\d+\\.\\d+\\.\\d+(-\\w+)?"), rows.get("version"));
        assertEquals("fovea " + rows.get("version") + "\n", CliRun.of("--version").output());
        try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE))) {
            assertEquals("available, " + engine.threads() + (engine.threads() == 1 ? " thread" : " threads"),
                    rows.get("native"));
            assertEquals(engine.isa() + " (available: " + String.join(", ", engine.availableIsas()) + ")",
                    rows.get("  ISA"));
            assertEquals(engine.blas(), rows.get("  BLAS"));
        }
        assertEquals("available, 1 thread", rows.get("java"));
        assertEquals("not available: " + NO_VECTOR_MODULE, rows.get("vector"));
        Optional<String> noGpu = Engine.unavailable(Backend.CUDA);
        assertEquals(noGpu.isEmpty() ? "takes cuda" : "takes native", rows.get("auto"));
        noGpu.ifPresent(reason -> assertEquals("not available: " + reason, rows.get("cuda")));
        assertTrue(rows.get("JDK").startsWith(Runtime.version() + " ("), rows.get("JDK"));
        assertTrue(rows.get("JDK").endsWith(", " + System.getProperty("java.home") + ")"), rows.get("JDK"));
        assertEquals(System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch"), rows.get("platform"));
        assertEquals(System.getProperty("fovea.cache"), rows.get("cache"));
    }

    @Test
    void shouldWriteJson() {
        JsonObject info = json(CliRun.of("info", "--json").output());
        assertEquals(Backend.values().length, info.getAsJsonArray("backends").size());
        assertEquals(nativeBackend(), backend(info, Backend.NATIVE));
        assertEquals(available("java", 1, "java", List.of("java"), "none"), backend(info, Backend.JAVA));
        assertEquals(missing("vector", NO_VECTOR_MODULE), backend(info, Backend.VECTOR));
        Engine.unavailable(Backend.CUDA).ifPresent(reason ->
                assertEquals(missing("cuda", reason), backend(info, Backend.CUDA)));
        assertEquals(Engine.unavailable(Backend.CUDA).isPresent() ? "native" : "cuda", info.get("auto").getAsString());
        Map<String, String> rows = rows(CliRun.of("info").output());
        for (String name : List.of("version", "platform", "cache")) {
            assertEquals(rows.get(name), info.get(name).getAsString(), name);
        }
        assertEquals(rows.get("JDK"), info.get("jdk").getAsString());
    }

    @Test
    void shouldSayWhyNativeIsMissing() throws Exception {
        JsonObject info = json(inProcess(Map.of(), nativePath(directory), "--json"));
        JsonObject state = backend(info, Backend.NATIVE);
        String said = state.get("reason").getAsString();
        assertEquals(missing("native", said), state);
        assertTrue(said.contains(directory.toString()), said);
        assertEquals(available("java", 1, "java", List.of("java"), "none"), backend(info, Backend.JAVA));

        Map<String, String> rows = rows(inProcess(Map.of(), nativePath(directory)));
        assertEquals("not available: " + said, rows.get("native"));
        assertEquals("available, 1 thread", rows.get("java"));
        assertTrue(!rows.containsKey("  ISA") && !rows.containsKey("  BLAS"), rows.toString());
    }

    @Test
    void shouldSayWhetherBlasIsAbsentOrDoesNotLoad() throws Exception {
        JsonObject here = nativeBackend();
        Path cache = directory.resolve("cache"); // an own one, which has the core of no other build
        inProcess(Map.of(), List.of("-Dfovea.cache=" + cache));
        Path core;
        try (Stream<Path> files = Files.walk(cache.resolve("native"))) {
            core = files.filter(file -> file.getFileName().toString().matches("(lib)?fovea\\.(so|dylib|dll)"))
                    .findFirst().orElseThrow();
        }
        Files.copy(core, directory.resolve(core.getFileName()));
        here.addProperty("blas", "none");
        assertEquals(here, backend(json(inProcess(Map.of(), nativePath(directory), "--json")), Backend.NATIVE));

        Files.writeString(directory.resolve("libopenblas.so.0"), "this is no library");
        JsonObject state = backend(json(inProcess(Map.of(), nativePath(directory), "--json")), Backend.NATIVE);
        String blas = state.get("blas").getAsString();
        assertTrue(blas.startsWith("unavailable: ") && blas.contains(directory.toString()), blas);
        here.addProperty("blas", blas);
        assertEquals(here, state);
    }

    @Test
    void shouldSayWhichIsaIsForced() throws Exception {
        JsonObject forced = nativeBackend();
        forced.addProperty("isa", "baseline");
        JsonObject info = json(inProcess(Map.of("FOVEA_ISA", "baseline"), List.of(), "--json"));
        assertEquals(forced, backend(info, Backend.NATIVE));
    }

    @Test
    void shouldSayWhenTheForcedIsaDoesNotRun() throws Exception {
        List<String> isas = nativeBackend().getAsJsonArray("availableIsas").asList().stream()
                .map(isa -> isa.getAsString()).toList();
        JsonObject info = json(inProcess(Map.of("FOVEA_ISA", "mmx"), List.of(), "--json"));
        assertEquals(missing("native", "isa mmx does not run here; available: " + isas), backend(info, Backend.NATIVE));
    }

    @Test
    void shouldSayThatTheVectorApiRunsWhereItsModuleIs() throws Exception {
        JsonObject info = json(inProcess(Map.of(), List.of("--add-modules", "jdk.incubator.vector"), "--json"));
        JsonObject state = backend(info, Backend.VECTOR);
        JsonObject expected = state.get("available").getAsBoolean()
                ? available("vector", 1, "vector", List.of("vector"), "none")
                : missing("vector", state.get("reason").getAsString());
        assertEquals(expected, state);
        assertTrue(!state.toString().contains("--add-modules"), state.toString());
    }

    @Test
    void shouldListWhatIsCached() throws IOException {
        assertEquals(0, CliRun.of("similar", "a", "b").status());
        // Only the Hugging Face library, which is not used by default, is kept there.
        Files.createDirectories(Path.of(System.getProperty("fovea.cache"), "tokenizers", "shown-by-info"));
        JsonObject cached = json(CliRun.of("info", "--json").output()).getAsJsonObject("cached");
        Map<String, String> rows = rows(CliRun.of("info").output());
        for (String part : List.of("models", "native", "tokenizers")) {
            List<String> entries =
                    cached.getAsJsonArray(part).asList().stream().map(entry -> entry.getAsString()).toList();
            assertTrue(!entries.isEmpty(), part);
            for (String entry : entries) {
                assertTrue(Files.isDirectory(Path.of(System.getProperty("fovea.cache"), part, entry)), entry);
            }
            assertEquals(String.join(", ", entries), rows.get("  " + part));
        }
    }
}
