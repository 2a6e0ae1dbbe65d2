package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A directory in the layout of Hugging Face and sentence-transformers. */
final class DirectorySource implements EncoderSource {
    private static final String MODULES = "modules.json";

    private final Path directory;
    private final ModelFiles files;
    private boolean languageModel;

    DirectorySource(Path directory, String weightsFile) throws IOException {
        this.directory = directory;
        this.files = ModelFiles.in(directory, weightsFile);
    }

    @Override
    public Weights openWeights() throws IOException {
        return Weights.open(files.weights());
    }

    @Override
    public EncoderConfig config() throws IOException {
        EncoderConfig config = EncoderConfig.read(files.config());
        languageModel = config.isLanguageModel();
        return config;
    }

    @Override
    public Tokenizer openTokenizer(EncoderConfig config) throws IOException {
        return Tokenizer.load(files.folder(), config.modelType());
    }

    @Override
    public Path tokenizerFile() {
        return files.tokenizer();
    }

    @Override
    public SentenceConfig sentence(Description encoder, int specials) throws IOException {
        if (languageModel && !Files.exists(directory.resolve(MODULES))) {
            throw new ModelNotFoundException("the language model in " + directory + " has no " + MODULES
                    + ", which says how its hidden states become a vector");
        }
        return ModelFiles.read(directory, () -> SentenceConfig.read(directory, encoder, specials));
    }

    @Override
    public Map<String, String> places(EncoderConfig config) throws IOException {
        Map<String, String> places = new LinkedHashMap<>();
        places.put("directory", directory.toString());
        places.put("family", Excerpt.of(config.modelType()));
        places.put("weights", directory.relativize(files.weights()).toString());
        List<String> others = files.otherWeights();
        if (!others.isEmpty()) {
            places.put("other weights", String.join(", ", others));
        }
        places.put("tokenizer", directory.relativize(files.tokenizer()).toString());
        return places;
    }

    /** The files whose settings are followed, beside configs of modules. */
    private static List<String> settingsFiles() {
        return Stream.of(List.of(MODULES, "config_sentence_transformers.json"), SentenceConfig.TRANSFORMER_CONFIGS,
                List.of("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")).flatMap(List::stream).toList();
    }

    @Override
    public String settings() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path place : directory.equals(files.folder()) ? List.of(directory) : List.of(directory, files.folder())) {
            for (String name : settingsFiles()) {
                if (Files.exists(place.resolve(name))) {
                    found.add(directory.relativize(place.resolve(name)).toString());
                }
            }
        }
        try (Stream<Path> modules = Files.list(directory)) {
            modules.filter(module -> module.getFileName().toString().matches("\\d+_(Pooling|Dense|LayerNorm)"))
                    .map(module -> module.resolve("config.json")).filter(Files::exists).sorted()
                    .forEach(config -> found.add(directory.relativize(config).toString()));
        }
        return found.isEmpty() ? "none" : String.join(", ", found);
    }
}
