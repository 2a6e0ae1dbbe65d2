package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What containers do to a process: users without names and homes, caches of others, volumes of groups, full disks, limits.
 * Each case is a process, as another user where that matters, with mounts that no one else sees.
 */
@Tag("slow")
class ContainerTest {
    private static final String USER = "setpriv --reuid=12345 --regid=12345 --groups=2000 ";
    private static final String KEEPS = "keeping model all-minilm-l6-v2 in memory";

    @TempDir
    private static Path shared;

    private static String classPath;
    private static String expected;

    @TempDir
    private Path directory;

    @BeforeAll
    static void prepare() throws Exception {
        assumeTrue(Engine.unavailable(Backend.NATIVE).isEmpty(), "no native library here");
        assumeTrue("root".equals(ProcessHandle.current().info().user().orElse("")), "needs root, for mounts and other users");
        assumeTrue(new ProcessBuilder("unshare", "-m", "setpriv", "--reuid=12345", "--clear-groups", "true").start().waitFor()
                == 0, "needs unshare, setpriv and the right to use them");
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxr-xr-x"));
        StringBuilder entries = new StringBuilder();
        // Where another user can read it, and in jars, which need one open file each.
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path from = Path.of(entry);
            if (Files.isDirectory(from) || entry.matches(".*(gson|fovea-native[a-z-]*|all-minilm-l6-v2)-[0-9][^/]*\\.jar")) {
                Path to = shared.resolve(entries.length() + ".jar");
                if (Files.isDirectory(from)) {
                    pack(from, to);
                } else {
                    Files.copy(from, to);
                }
                entries.append(entries.isEmpty() ? "" : File.pathSeparator).append(to);
            }
        }
        classPath = entries.toString();
        expected = outputOf("true", java("-Dfovea.cache=" + shared.resolve("cache")));
        assertTrue(expected.matches("NATIVE -?\\d+"), expected);
    }

    @Test
    void shouldStartWhereNothingCanBeWritten() throws Exception {
        Path readOnly = Files.createDirectory(open(directory).resolve("ro"));
        String output = outputOf("mount -t tmpfs -o ro,mode=1777 tmpfs " + readOnly, USER + java("-Djava.io.tmpdir=" + readOnly,
                "-Duser.home=/nonexistent", "-Dfovea.cache=" + readOnly));
        assertEquals(expected, last(output));
        assertTrue(output.contains(KEEPS) && output.contains("cannot write " + readOnly) && output.contains("Read-only"),
                output);
    }

    @Test
    void shouldNotTrustWhatAnotherUserPreparedForAUserWithoutAHome() throws Exception {
        Path temporary = Files.createDirectory(open(directory).resolve("tmp"));
        Files.setAttribute(temporary, "unix:mode", 01777);
        Path prepared = Files.createDirectory(temporary.resolve("fovea-12345"));
        Files.setAttribute(prepared, "unix:uid", 666);
        Files.setPosixFilePermissions(prepared, PosixFilePermissions.fromString("rwxrwxrwx"));
        String command = USER + java("-Djava.io.tmpdir=" + temporary, "-Duser.home=?");
        String output = outputOf("true", command);
        assertEquals(expected, last(output));
        assertTrue(output.contains(KEEPS) && output.contains(prepared + " belongs to 666, not to 12345"), output);
        assertEquals(List.of(), filesBelow(prepared));
        Files.delete(prepared);
        assertEquals(expected, outputOf("true", command));
        assertTrue(filesBelow(prepared).toString().contains("libfovea"), filesBelow(prepared).toString());
    }

    @Test
    void shouldUseAVolumeThatKubernetesOpensToAGroup() throws Exception {
        Path volume = Files.createDirectory(open(directory).resolve("volume"));
        String toGroup = "chgrp -R 2000 " + volume + "; chmod -R g+rwX " + volume + "; chmod g+s " + volume;
        String command = USER + java("-Dfovea.cache=" + volume);
        assertEquals(expected, outputOf(toGroup, command));
        // Mounted again, after another of the group has written.
        Path model = filesBelow(volume).stream().filter(file -> file.endsWith("model.onnx")).findFirst().orElseThrow();
        byte[] bytes = Files.readAllBytes(model);
        bytes[bytes.length / 2] ^= 1;
        Files.write(model, bytes);
        assertEquals(expected, outputOf(toGroup, command));
        assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(model)));
    }

    @Test
    void shouldUseACacheThatRootFilledForAnotherUser() throws Exception {
        Path cache = open(directory).resolve("cache");
        assertEquals(expected, outputOf("true", java("-Dfovea.cache=" + cache)));
        String readOnly = "mount --bind " + cache + " " + cache + "; mount -o remount,ro,bind " + cache;
        assertEquals(expected, outputOf(readOnly, USER + java("-Dfovea.cache=" + cache)));
    }

    @Test
    void shouldStartOnAFullDiskAndLeaveNothingThere() throws Exception {
        Path full = Files.createDirectory(directory.resolve("full"));
        String output = outputOf("mount -t tmpfs -o size=900k tmpfs " + full,
                java("-Dfovea.cache=" + full) + "; find " + full + " -name '.partial*'");
        assertEquals(expected, last(output));
        assertTrue(output.contains(KEEPS) && output.contains("No space left on device") && output.contains("-Dfovea.cache=DIR"),
                output);
    }

    @Test
    void shouldLoadFromMemoryWhereTheCacheForbidsExecution() throws Exception {
        Path cache = Files.createDirectory(directory.resolve("noexec"));
        assertEquals(expected, outputOf("mount -t tmpfs -o noexec tmpfs " + cache, java("-Dfovea.cache=" + cache)));
    }

    @Test
    void shouldNamePathCauseAndOptionWhereNoFileMayGrow() throws Exception {
        Path cache = directory.resolve("cache");
        String output = outputOf("ulimit -f 100", java("-Dfovea.cache=" + cache));
        assertTrue(last(output).startsWith("JAVA "), output);
        assertTrue(output.contains("the native one is not available: cannot write " + cache.resolve("native"))
                && output.contains("File too large") && output.contains("-Dfovea.cache=DIR"), output);
    }

    @Test
    void shouldLoadFromOpenJarsWhereNoFileCanBeOpened() throws Exception {
        Path cache = shared.resolve("cache");
        String output = outputOf("ulimit -n 256", java("-Dfovea.cache=" + cache) + " files");
        assertEquals(expected, last(output));
        assertTrue(output.matches("(?s).*" + KEEPS + "[^\n]*" + cache + "[^\n]*Too many open files.*"), output);
    }

    @Test
    void shouldNamePathAndLimitWhereThereIsNoAddressSpace() throws Exception {
        String output = last(outputOf("true", java("-Dfovea.cache=" + shared.resolve("cache")) + " 'address space'"));
        assertTrue(output.contains("cannot map " + shared.resolve("cache")) && output.contains("ulimit -v"), output);
    }

    /** What {@code command} prints, which alone sees the mounts and limits of {@code conditions}. */
    private static String outputOf(String conditions, String command) throws Exception {
        Process process = new ProcessBuilder("unshare", "-m", "sh", "-c", conditions + "; " + command)
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertFalse(output.contains("Exception in thread"), output);
        return output;
    }

    private static String java(String... options) {
        return Path.of(System.getProperty("java.home"), "bin", "java") + " --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC"
                + " -Xmx256m -XX:-UsePerfData -XX:TieredStopAtLevel=1 " + String.join(" ", options) + " -cp " + classPath + " "
                + ContainerProbe.class.getName();
    }

    private static String last(String output) {
        return output.lines().reduce((_, line) -> line).orElse("");
    }

    /** JUnit makes directories that none but their owner sees. */
    private static Path open(Path directory) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        return directory;
    }

    private static List<Path> filesBelow(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private static void pack(Path directory, Path jar) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file)) {
            out.setLevel(0);
            for (Path entry : filesBelow(directory)) {
                out.putNextEntry(new JarEntry(directory.relativize(entry).toString()));
                Files.copy(entry, out);
            }
        }
    }
}
