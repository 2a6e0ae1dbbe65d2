package dev.fovea.internal.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A library is loaded once per process, so each case is a process of its own. */
class NativeLibraryTest {
    private static final String CORE = System.mapLibraryName("fovea");

    @TempDir
    private Path temporary;

    @BeforeAll
    static void requireALibraryForThisPlatform() throws IOException {
        assumeTrue(LibraryIndex.find(Platform.current()) != null, "no native library for " + Platform.current());
    }

    @Test
    void shouldCopyTheCoreAloneUntilOpenBlasIsAskedFor() throws Exception {
        Path directory = loadedFrom(run(start("-Dfovea.cache=" + temporary)));
        assertEquals(List.of(CORE, CORE + ".crc32"), names(directory));
        String output = run(start("-Dfovea.cache=" + temporary, "blas"));
        assertEquals(directory, loadedFrom(output));
        assertEquals(List.of(CORE, CORE + ".crc32"), names(directory));
        assertTrue(names(openBlasFrom(output)).stream().anyMatch(name -> name.startsWith("libopenblas")));
    }

    @Test
    void shouldDoWithoutOpenBlas() throws Exception {
        Path directory = loadedFrom(run(start("-Dfovea.cache=" + temporary)));
        String output = run(start("-Dfovea.native.path=" + directory, "blas"));
        assertEquals("OpenBLAS absent", output.lines().findFirst().orElseThrow());
    }

    @Test
    @Tag("slow")
    void shouldLoadInManyProcessesThatStartAtOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            processes.add(start("-Dfovea.cache=" + temporary, "blas"));
        }
        List<Path> directories = new ArrayList<>();
        for (Process process : processes) {
            directories.add(loadedFrom(run(process)));
        }
        assertEquals(1, directories.stream().distinct().count());
        assertFalse(names(directories.getFirst()).stream().anyMatch(name -> name.endsWith(".partial")));
    }

    @Test
    void shouldRepairDamagedFiles() throws Exception {
        String output = run(start("-Dfovea.cache=" + temporary, "blas"));
        Path directory = loadedFrom(output);
        long coreSize = Files.size(directory.resolve(CORE));
        for (Path folder : List.of(directory, openBlasFrom(output))) {
            for (String name : names(folder)) {
                byte[] bytes = Files.readAllBytes(folder.resolve(name));
                bytes[bytes.length / 2] ^= 1;
                Files.write(folder.resolve(name), bytes);
            }
        }
        Files.writeString(directory.resolve(CORE), "truncated");
        assertEquals(output, run(start("-Dfovea.cache=" + temporary, "blas")));
        assertEquals(coreSize, Files.size(directory.resolve(CORE)));
        assertWhole(directory, Platform.current());
        assertWhole(openBlasFrom(output), "openblas-" + Platform.current());
    }

    private static void assertWhole(Path directory, String name) throws IOException {
        for (LibraryIndex.Entry entry : LibraryIndex.find(name).files()) {
            assertTrue(entry.matches(directory.resolve(entry.name())), entry.name());
        }
    }

    @Test
    void shouldNamePathAndPropertyWhenTheCacheCannotBeWritten() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "not a directory");
        assertUnavailable(run(start("-Dfovea.cache=" + file)), file.resolve("native").toString(), "-Dfovea.cache=");
        if (Files.isDirectory(Path.of("/proc/self"))) {
            assertUnavailable(run(start("-Dfovea.cache=/proc/fovea")), "/proc/fovea/native", "-Dfovea.cache=");
        }
    }

    @Test
    void shouldTakeTheFilesFromTheDirectoryThatThePropertyNames() throws Exception {
        String output = run(start("-Dfovea.cache=" + temporary, "blas"));
        Path directory = loadedFrom(output);
        Path openBlas = openBlasFrom(output);
        for (String name : names(openBlas)) {
            Files.copy(openBlas.resolve(name), directory.resolve(name));
        }
        String taken = run(start("-Dfovea.cache=/proc/fovea", "-Dfovea.native.path=" + directory, "blas"));
        assertEquals(directory, loadedFrom(taken));
        assertEquals(directory, openBlasFrom(taken));
    }

    @Test
    void shouldNamePathAndPropertyWhenTheOverrideHasNoLibrary() throws Exception {
        Path absent = temporary.resolve("absent");
        assertUnavailable(run(start("-Dfovea.native.path=" + absent)), absent.toString(), "-Dfovea.native.path");
        assertUnavailable(run(start("-Dfovea.native.path=" + temporary)), temporary.toString(), CORE);
    }

    @Test
    void shouldNamePathAndPropertyWhenTheLibraryIsGarbage() throws Exception {
        Path garbage = Files.writeString(temporary.resolve(CORE), "this is no library");
        assertUnavailable(run(start("-Dfovea.native.path=" + temporary)), garbage.toString(), "-Dfovea.native.path");
    }

    private static Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-Xmx128m",
                "-cp", System.getProperty("java.class.path")));
        List<String> rest = new ArrayList<>();
        for (String argument : arguments) {
            (argument.startsWith("-D") ? command : rest).add(argument);
        }
        command.add(LoadNative.class.getName());
        command.addAll(rest);
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String run(Process process) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    private static Path loadedFrom(String output) {
        String loaded = output.lines().reduce((first, last) -> last).orElse("");
        assertTrue(loaded.startsWith("loaded "), output);
        return Path.of(loaded.substring("loaded ".length()));
    }

    /** The directory that OpenBLAS is in. */
    private static Path openBlasFrom(String output) {
        String first = output.lines().findFirst().orElse("");
        assertTrue(first.startsWith("OpenBLAS "), output);
        return Path.of(first.substring("OpenBLAS ".length())).getParent();
    }

    /** The JVM may have printed a warning of its own before. */
    private static void assertUnavailable(String output, String... parts) {
        String reason = output.lines().reduce((first, last) -> last).orElse("");
        assertTrue(reason.startsWith("unavailable "), output);
        for (String part : parts) {
            assertTrue(reason.contains(part), () -> "expected '" + part + "' in: " + reason);
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
