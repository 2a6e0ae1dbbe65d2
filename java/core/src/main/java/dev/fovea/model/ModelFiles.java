package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.sentence.SentenceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where a directory in the Hugging Face layout keeps what a model needs.
 *
 * @param folder that of the Transformer: of the others, and of the tokenizer's settings
 * @param config {@code config.json}
 * @param tokenizer {@code tokenizer.json}, or {@code vocab.txt} where there is none
 * @param weights the file that was asked for, or the first of the forms that are read
 */
record ModelFiles(Path folder, Path config, Path tokenizer, Path weights) {
    private static final List<String> TOKENIZERS = List.of("tokenizer.json", "vocab.txt");

    private static final List<String> WEIGHTS =
            List.of("model.safetensors", "model.safetensors.index.json", "model.onnx", "onnx/model.onnx");

    /** Where exporters put ONNX files. */
    private static final String ONNX = "onnx";

    /** Tokenizers of other libraries, which are not read. */
    private static final List<String> OTHER_TOKENIZERS = List.of("sentencepiece.bpe.model", "spiece.model",
            "tokenizer.model", "vocab.json", "merges.txt", "bpe.codes", "vocab.bpe");

    /** Weights in formats that are not read. */
    private static final List<String> OTHER_WEIGHTS = List.of("pytorch_model.bin", "pytorch_model.bin.index.json",
            "tf_model.h5", "flax_model.msgpack", "rust_model.ot", "openvino/openvino_model.xml");

    /**
     * Finds the files; none but {@code modules.json} is opened.
     *
     * @param weightsFile the file of weights to take, or null for the usual one
     * @throws ModelNotFoundException if the directory or a file is not there; the message names it, and what there is
     *     instead
     */
    static ModelFiles in(Path directory, String weightsFile) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw missing(directory);
        }
        return in(directory, SentenceConfig.transformerFolder(directory), weightsFile);
    }

    /** As {@link #in}, of a model with a head, whose other modules its class reads. */
    static ModelFiles ofHead(Path directory, String weightsFile) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw missing(directory);
        }
        return in(directory, SentenceConfig.firstFolder(directory), weightsFile);
    }

    /**
     * Reads settings of the model in a directory.
     *
     * @param <T> what they become
     */
    @FunctionalInterface
    interface Reader<T> {
        T read() throws IOException;
    }

    /**
     * What {@code reader} reads of a directory.
     *
     * @throws ModelNotFoundException if it misses a file that another names
     */
    static <T> T read(Path directory, Reader<T> reader) throws IOException {
        try {
            return reader.read();
        } catch (NoSuchFileException e) {
            throw new ModelNotFoundException("the model in " + directory + " has " + e.getReason());
        }
    }

    /** What a path is that is no directory; where it is the name of a model that could be there, how to bring it. */
    static ModelNotFoundException missing(Path directory) {
        if (Files.exists(directory)) {
            return new ModelNotFoundException("expected a model's directory, got the file " + directory);
        }
        if (directory.toString().endsWith(".gguf")) {
            return new ModelNotFoundException("no file " + directory);
        }
        Path last = directory.getFileName();
        String help = last == null ? "" : ModelCatalog.find(last.toString()).filter(model -> !model.hasArtifact())
                .map(model -> "; " + ModelCatalog.howToBring(model)).orElse("");
        return new ModelNotFoundException("no model directory " + directory + help);
    }

    /** Likewise of a language model, whose tokenizer is null where there is none: token ids are all that it needs. */
    static ModelFiles ofGenerator(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw missing(directory);
        }
        Path tokenizer = TOKENIZERS.stream().map(directory::resolve).filter(Files::exists).findFirst().orElse(null);
        return of(config(directory, directory), directory, tokenizer, null);
    }

    private static ModelFiles in(Path directory, Path folder, String weightsFile) throws IOException {
        Path config = config(directory, folder);
        return of(config, folder, tokenizer(folder), weightsFile);
    }

    private static ModelFiles of(Path config, Path folder, Path tokenizer, String weightsFile) throws IOException {
        return new ModelFiles(folder, config, tokenizer, folder.resolve(weights(folder, weightsFile)));
    }

    /** Files of weights that were not taken. A load does not list the directory for them. */
    List<String> otherWeights() throws IOException {
        return weightFiles(folder).stream().filter(file -> !folder.resolve(file).equals(weights)).toList();
    }

    private static Path config(Path directory, Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        if (Files.exists(file)) {
            return file;
        }
        String why = Files.exists(folder.resolve("adapter_config.json"))
                ? ", but adapter_config.json: a PEFT adapter, to be merged into its model first"
                : Files.isDirectory(directory.resolve("snapshots"))
                ? ", but snapshots: a cache of Hugging Face's, of which a directory in snapshots is the model"
                : Files.exists(directory.resolve("0_Transformer/config.json"))
                ? ", but 0_Transformer, and no modules.json that says so" : linked(file);
        throw new ModelNotFoundException("model directory " + folder + " has no config.json" + why);
    }

    private static Path tokenizer(Path folder) throws IOException {
        for (String name : TOKENIZERS) {
            if (Files.exists(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        throw new ModelNotFoundException("model directory " + folder + " has no tokenizer.json and no vocab.txt"
                + instead(folder, OTHER_TOKENIZERS) + linked(folder.resolve(TOKENIZERS.getFirst())));
    }

    /** The usual files of weights that are there, in their order, and then all other ONNX files by name. */
    private static List<String> weightFiles(Path folder) throws IOException {
        Set<String> found = new LinkedHashSet<>();
        WEIGHTS.stream().filter(name -> Files.exists(folder.resolve(name))).forEach(found::add);
        for (Path place : List.of(folder, folder.resolve(ONNX))) {
            if (Files.isDirectory(place)) {
                try (Stream<Path> files = Files.list(place)) {
                    files.filter(file -> file.toString().endsWith(".onnx") && !Files.isDirectory(file)).sorted()
                            .forEach(file -> found.add(folder.relativize(file).toString().replace('\\', '/')));
                }
            }
        }
        return List.copyOf(found);
    }

    /** The one asked for; the first of the usual ones; or the only one. */
    private static String weights(Path folder, String asked) throws IOException {
        if (asked != null) {
            return asked(folder, asked);
        }
        for (String usual : WEIGHTS) {
            if (Files.exists(folder.resolve(usual))) {
                return usual;
            }
        }
        List<String> found = weightFiles(folder);
        if (found.size() == 1) {
            return found.getFirst();
        }
        String several = found.isEmpty() ? "" : "; of " + Excerpt.of(found) + " one must be chosen, with"
                + " EncoderOptions.withWeightsFile or --weights-file";
        String pickle = Files.exists(folder.resolve("pytorch_model.bin"))
                || Files.exists(folder.resolve("pytorch_model.bin.index.json"))
                ? " (a Python pickle; save it with transformers' save_pretrained(…, safe_serialization=True))" : "";
        throw new ModelNotFoundException("model directory " + folder + " has none of " + String.join(", ", WEIGHTS)
                + instead(folder, OTHER_WEIGHTS) + pickle + several + linked(folder.resolve(WEIGHTS.getFirst())));
    }

    private static String asked(Path folder, String asked) throws IOException {
        Path file = folder.resolve(asked).normalize();
        if (Path.of(asked).isAbsolute() || !file.startsWith(folder.normalize())) {
            throw new IllegalArgumentException("expected a file of weights within " + folder + ", got '"
                    + Excerpt.of(asked) + "'");
        }
        if (Files.exists(folder.resolve(asked))) {
            return asked;
        }
        List<String> found = weightFiles(folder);
        throw new ModelNotFoundException("model directory " + folder + " has no " + Excerpt.of(asked) + " to take weights"
                + " from; there is " + (found.isEmpty() ? "none" : Excerpt.of(found)));
    }

    /** Which of some files there are, which would do if they were read. */
    private static String instead(Path folder, List<String> names) {
        List<String> found = names.stream().filter(name -> Files.exists(folder.resolve(name))).toList();
        return found.isEmpty() ? "" : ", but " + String.join(", ", found)
                + (found.size() == 1 ? ", which is not read" : ", which are not read");
    }

    private static String linked(Path file) {
        return Files.isSymbolicLink(file) ? "; " + file.getFileName() + " is a link to a file that is not there" : "";
    }
}
