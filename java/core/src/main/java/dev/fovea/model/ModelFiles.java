package dev.fovea.model;

import dev.fovea.model.sentence.SentenceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a directory in the Hugging Face layout keeps what a model needs.
 *
 * @param config {@code config.json}
 * @param tokenizer {@code tokenizer.json}
 * @param weights the first of the forms that are read
 */
record ModelFiles(Path config, Path tokenizer, Path weights) {
    private static final List<String> WEIGHTS =
            List.of("model.safetensors", "model.safetensors.index.json", "model.onnx", "onnx/model.onnx");

    /**
     * Finds the files; none is opened.
     *
     * @throws ModelNotFoundException if the directory or a file is not there; the message names it
     */
    static ModelFiles in(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new ModelNotFoundException("no model directory " + directory);
        }
        Path folder = SentenceConfig.transformerFolder(directory);
        Path config = required(folder, "config.json");
        Path tokenizer = required(folder, "tokenizer.json");
        Path weights = WEIGHTS.stream().map(folder::resolve).filter(Files::exists).findFirst().orElseThrow(
                () -> new ModelNotFoundException(
                        "model directory " + folder + " has none of " + String.join(", ", WEIGHTS)));
        return new ModelFiles(config, tokenizer, weights);
    }

    private static Path required(Path directory, String name) throws ModelNotFoundException {
        Path file = directory.resolve(name);
        if (!Files.exists(file)) {
            throw new ModelNotFoundException("model directory " + directory + " has no " + name);
        }
        return file;
    }
}
