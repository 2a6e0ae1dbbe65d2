package dev.fovea.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Small models of many families, with random weights and labels of one's own. */
public final class ToyClassifier {
    private static final Path GOLDEN =
            Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "family", "golden");

    private ToyClassifier() {}

    /** A model with a head for these labels, JSON of config.json's {@code id2label}; its words are w0 to w28. */
    public static Path write(Path directory, String family, String labels) throws IOException {
        Files.createDirectories(directory);
        String config = Files.readString(GOLDEN.resolve(family).resolve("config.json")).strip();
        Files.writeString(directory.resolve("config.json"),
                config.substring(0, config.length() - 1) + ", \"id2label\": " + labels + "}");
        Files.copy(GOLDEN.resolve(family).resolve("model.safetensors"), directory.resolve("model.safetensors"));
        String words = IntStream.range(0, 29).mapToObj(i -> "\"w" + i + "\": " + i).collect(Collectors.joining(", "));
        Files.writeString(directory.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": null, "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {%s}}}
                """.formatted(words));
        return directory;
    }
}
