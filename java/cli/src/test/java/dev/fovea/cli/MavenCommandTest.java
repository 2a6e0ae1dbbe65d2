package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the stand-ins for Maven are shell scripts")
class MavenCommandTest {
    @TempDir
    private Path directory;

    private Path target;

    @BeforeEach
    void createTarget() throws IOException {
        target = Files.createDirectory(directory.resolve("target"));
    }

    private Path script(String name, String body) throws IOException {
        Path script = directory.resolve(name);
        Files.createDirectories(script.getParent());
        Files.writeString(script, "#!/bin/sh\n" + body + "\n");
        assertTrue(script.toFile().setExecutable(true));
        return script;
    }

    private MavenCommand maven(String body) throws IOException {
        return MavenCommand.find(Map.of("PATH", script("bin/mvn", body).getParent().toString()), directory);
    }

    @Test
    void shouldPreferThePathThenMavenHomeThenTheWrapper() throws IOException {
        Path wrapper = script("mvnw", "");
        assertEquals(wrapper.toString(), MavenCommand.find(Map.of(), directory).toString());
        Path home = script("home/bin/mvn", "");
        Map<String, String> withHome = Map.of("MAVEN_HOME", directory.resolve("home").toString());
        assertEquals(home.toString(), MavenCommand.find(withHome, directory).toString());
        Path onPath = script("bin/mvn", "");
        Map<String, String> withPath =
                Map.of("MAVEN_HOME", directory.resolve("home").toString(), "PATH", "/none:" + onPath.getParent());
        assertEquals(onPath.toString(), MavenCommand.find(withPath, directory).toString());
    }

    @Test
    void shouldSayWhereItLooked() {
        IOException e = assertThrows(IOException.class, () -> MavenCommand.find(Map.of("PATH", "/none"), directory));
        assertEquals("Maven was not found: there is no mvn on PATH or in MAVEN_HOME,"
                + " and no mvnw in this directory", e.getMessage());
    }

    @Test
    void shouldFindTheJarThatMavenCopied() throws Exception {
        MavenCommand maven = maven("echo \"$@\"; echo content > model-1.jar");
        List<String> log = new ArrayList<>();
        Path jar = maven.copy("group:model:1", target, log::add);
        assertEquals(target.resolve("model-1.jar"), jar);
        String arguments = log.getFirst();
        assertTrue(arguments.endsWith(":copy -Dartifact=group:model:1 -DoutputDirectory=" + target), arguments);
    }

    @Test
    void shouldReportTheFirstErrorOfMaven() throws IOException {
        MavenCommand maven = maven("echo noise; echo '[ERROR] no such artifact'; echo '[ERROR] more'; exit 3");
        IOException e = assertThrows(IOException.class, () -> maven.copy("group:model:1", target, _ -> {}));
        assertEquals(maven + " failed with status 3: no such artifact", e.getMessage());
    }

    @Test
    void shouldNotTrustAMavenThatCopiesNothing() throws IOException {
        MavenCommand maven = maven("exit 0");
        IOException e = assertThrows(IOException.class, () -> maven.copy("group:model:1", target, _ -> {}));
        assertEquals("Maven succeeded but left no jar of group:model:1 in " + target, e.getMessage());
    }
}
