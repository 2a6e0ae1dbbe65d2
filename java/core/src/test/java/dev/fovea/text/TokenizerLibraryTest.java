package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The native library is loaded once per process, so most of these start processes of their own. */
@Timeout(120)
class TokenizerLibraryTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "Linux,      amd64,   linux-x86_64,  libtokenizers.so",
        "Linux,      aarch64, linux-aarch64, libtokenizers.so",
        "Mac OS X,   aarch64, osx-aarch64,   libtokenizers.dylib",
        "Windows 11, amd64,   win-x86_64,    tokenizers.dll",
    })
    void shouldFindLibraryOfEachPlatformInTheJar(String os, String arch, String platform, String file) {
        assertEquals(platform, TokenizerLibrary.platform(os, arch));
        assertNotNull(TokenizersLibrary.class.getResource("/native/lib/" + platform + "/cpu/" + file));
    }

    @Test
    void shouldCopyLibraryOnceWhenProcessesStartTogether() throws Exception {
        Path cache = directory.resolve("cache");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start("-Dfovea.cache=" + cache));
        }
        for (Process process : processes) {
            assertEquals("[4, 5]", outputOf(process));
        }
        assertEquals(1, filesIn(cache).size(), filesIn(cache).toString());
    }

    @Test
    void shouldReplaceLibraryWhenItIsCutShort() throws Exception {
        Path cache = directory.resolve("cache");
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache)));
        Path library = filesIn(cache).getFirst();
        long size = Files.size(library);
        Files.write(library, new byte[100]);
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache)));
        assertEquals(size, Files.size(library));
    }

    @Test
    void shouldReplaceLibraryWhenItIsDamagedAtItsSize() throws Exception {
        Path cache = directory.resolve("cache");
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache)));
        Path library = filesIn(cache).getFirst();
        byte[] right = Files.readAllBytes(library);
        byte[] wrong = right.clone();
        // Of the code, of which any part may run at a start.
        Arrays.fill(wrong, wrong.length / 4, wrong.length / 2, (byte) 0);
        Files.write(library, wrong);
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache)));
        assertArrayEquals(right, Files.readAllBytes(library));
    }

    @Test
    void shouldLoadFromATemporaryDirectoryWhenTheCacheCannotBeWritten() throws Exception {
        Path cache = Files.createFile(directory.resolve("file"));
        Path temporary = Files.createDirectory(directory.resolve("tmp"));
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache + " -Djava.io.tmpdir=" + temporary)));
        assertEquals(List.of(), filesIn(temporary));
        assertSays(outputOf(start("-Dfovea.cache=" + cache + " -Djava.io.tmpdir=" + cache)), "IOException", cache.toString(),
                "-Dfovea.cache=DIR");
    }

    @Test
    void shouldNameLibraryWhenItDoesNotLoad() throws Exception {
        Path library = Files.writeString(directory.resolve("libtokenizers.so"), "not a library");
        assertSays(outputOf(start("-Dfovea.tokenizers.path=" + library)), "IOException", library.toString());
        Path absent = directory.resolve("absent.so");
        assertSays(outputOf(start("-Dfovea.tokenizers.path=" + absent)), "IOException", absent.toString());
    }

    @Test
    void shouldNeedNeitherJarNorCacheInJava() throws Exception {
        Path cache = Files.createFile(directory.resolve("file"));
        assertEquals("[4, 5]", outputOf(start("-Dfovea.cache=" + cache, "java", withoutLibrary())));
    }

    @Test
    void shouldNameTheJarWhenItIsMissing() throws Exception {
        assertSays(outputOf(start("-Dany=1", "library", withoutLibrary())), "IOException", "ai.djl.huggingface:tokenizers");
    }

    @Test
    void shouldRefuseAnotherChoice() throws Exception {
        assertSays(outputOf(start("-Dany=1", "rust", withoutLibrary())), "IllegalArgumentException", "rust", "library");
    }

    private static String withoutLibrary() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("djl")).collect(Collectors.joining(File.pathSeparator));
    }

    private Process start(String option) throws IOException {
        return start(option, "library", System.getProperty("java.class.path"));
    }

    private Process start(String option, String choice, String classPath) throws IOException {
        Path json = new TokenizerJson().write(Files.createTempFile(directory, "tokenizer", ".json"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m"));
        command.addAll(List.of(option.split(" ")));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Dfovea.tokenizers=" + choice, "-cp", classPath,
                LoadTokenizer.class.getName(), json.toString(), "unaffable"));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String outputOf(Process process) throws IOException {
        try (InputStream out = process.getInputStream()) {
            return new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private static void assertSays(String output, String... words) {
        for (String word : words) {
            assertTrue(output.contains(word), output + " does not say " + word);
        }
    }
}
