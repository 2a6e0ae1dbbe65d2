package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a process of its own shows: the environment, the locale, a reader that goes away. */
@Tag("slow")
class ProcessTest {
    @TempDir
    private Path directory;

    private static List<String> command(String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"),
                "-Dfovea.cache=" + System.getProperty("fovea.cache"),
                Main.class.getName()));
        Collections.addAll(command, args);
        return command;
    }

    private Process start(Map<String, String> environment, String... args) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(args)).directory(directory.toFile());
        builder.environment().putAll(environment);
        return builder.redirectError(directory.resolve("err").toFile()).start();
    }

    private String err() throws IOException {
        return CliRun.withoutNotices(Files.readString(directory.resolve("err")));
    }

    private static int status(Process process) throws InterruptedException {
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "hangs");
        return process.exitValue();
    }

    @Test
    void shouldEndQuietlyWhenNobodyReadsOn() throws Exception {
        Path input = Files.write(directory.resolve("lines"), Collections.nCopies(2000, "a line of text"));
        Process process = start(Map.of(), "embed", "--input", input.toString());
        BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
        assertNotNull(reader.readLine());
        reader.close();
        assertEquals(0, status(process));
        assertEquals("", err());
    }

    @Test
    void shouldSpeakUtf8WhateverTheLocale() throws Exception {
        Process process = start(Map.of("LC_ALL", "C"), "embed", "--input", "-");
        process.getOutputStream().write("Köln 🚲\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, status(process));
        assertEquals("", err());
        assertTrue(output.startsWith("{\"text\":\"Köln 🚲\","), output);
    }

    /** The values of ONNX Runtime 1.30 for the UTF-8 of the argument. */
    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "xx_YY.UTF-8"})
    void shouldReadArgumentsAsUtf8WhereTheLocaleKnowsAsciiOnly(String locale) throws Exception {
        // A script, for the JVM of the tests may not know how to pass the text on.
        Path script = Files.writeString(directory.resolve("script"), "exec \"$@\" 'Gr\u00fc\u00dfe \u4f60\u597d'\n");
        List<String> command = new ArrayList<>(List.of("sh", script.toString()));
        command.addAll(command("embed", "plain"));
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().put("LC_ALL", locale);
        Process process = builder.redirectError(directory.resolve("err").toFile()).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, status(process), err());
        List<JsonObject> objects = output.lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
        assertEquals("plain", objects.get(0).get("text").getAsString());
        JsonObject object = objects.get(1);
        assertEquals("Gr\u00fc\u00dfe \u4f60\u597d", object.get("text").getAsString());
        assertEquals(7, object.get("tokens").getAsInt());
        assertEquals(-0.008365728f, object.getAsJsonArray("embedding").get(0).getAsFloat(), 2e-7f);
    }

    @Test
    void shouldAnswerALineBeforeTheNextIsWritten() throws Exception {
        Process process = start(Map.of(), "embed", "--input", "-");
        BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
        for (String line : new String[] {"first", "second"}) {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
            assertTrue(reader.readLine().startsWith("{\"text\":\"" + line + "\","));
        }
        process.getOutputStream().close();
        assertEquals(0, status(process));
    }

    @ParameterizedTest
    @ValueSource(strings = {"similar a b", "embed a b", "info", "models --json", "--help"})
    void shouldSayOnceThatOutputCannotBeWritten(String arguments) throws Exception {
        assumeTrue(Files.exists(Path.of("/dev/full")), "no full device here");
        ProcessBuilder builder = new ProcessBuilder(command(arguments.split(" ")));
        Process process = builder.redirectOutput(Path.of("/dev/full").toFile())
                .redirectError(directory.resolve("err").toFile()).start();
        assertEquals(1, status(process));
        assertEquals("fovea: cannot write standard output: No space left on device\n", err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"attend a", "similar a b", "info", "embed --input -"})
    void shouldNameTheFlagWhereTheJvmDeniesNativeAccess(String arguments) throws Exception {
        List<String> command = command(arguments.split(" "));
        command.set(1, "--illegal-native-access=deny");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, status(process), output);
        assertTrue(output.contains("this JVM denies native access to the class path; start it with"
                + " --enable-native-access=ALL-UNNAMED"), output);
    }

    @Test
    void shouldNameTheOldestGsonThatWorks() throws Exception {
        for (String version : List.of("2.10.1", "2.11.0")) {
            Path gson = Path.of("target/gson/gson-" + version + ".jar");
            String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .map(entry -> entry.matches(".*gson-[^/\\\\]*\\.jar") ? gson.toAbsolutePath().toString() : entry)
                    .collect(Collectors.joining(File.pathSeparator));
            List<String> command = command("similar", "--json", "a", "a");
            command.set(command.indexOf("-cp") + 1, classPath);
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(version.equals("2.11.0") ? 0 : 1, status(process), output);
            assertTrue(output.contains(version.equals("2.11.0") ? "\"score\": 1.0" : "a Gson older than 2.11.0"), output);
        }
    }

    @Test
    void shouldSayThatMavenIsMissing() throws Exception {
        Process process = start(Map.of("PATH", "/none", "MAVEN_HOME", ""), "models", "pull", "e5-small-v2");
        assertEquals(1, status(process));
        assertEquals("fovea: Maven was not found: there is no mvn on PATH or in MAVEN_HOME,"
                + " and no mvnw in this directory\n", err());
    }

    @Test
    void shouldSayWhichCommandGetsAnAbsentModel() throws Exception {
        Process process = start(Map.of(), "embed", "--model", "e5-small-v2", "text");
        assertEquals(1, status(process));
        assertTrue(err().startsWith("fovea: ") && err().contains("./fovea models pull e5-small-v2"), err());
        assertEquals(1, err().lines().count());
    }
}
