package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.DecoderConfig;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.EncoderDecoderConfig;
import dev.fovea.model.family.GgufDecoder;
import dev.fovea.model.family.GgufEncoder;
import dev.fovea.model.family.GgufModelWriter;
import dev.fovea.model.family.GgufT5;
import dev.fovea.model.sentence.DenseActivation;
import dev.fovea.model.sentence.PoolingMode;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.model.sentence.SentenceModule;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import dev.fovea.text.GgufTokenizerWriter;
import dev.fovea.text.SpecialToken;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.GgufWriter;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Writes a model as one GGUF file that Fovea and llama.cpp load: its sizes, its tokenizer, the template of its chats, and its
 * weights, rounded. Reads a directory in the layout of Hugging Face or another GGUF file, tensor by tensor.
 *
 * <pre>{@code
 * GgufConversion.convert(Path.of("Qwen3-0.6B"), Path.of("qwen3-q4.gguf"), GgufFileType.Q4_K_M, (done, total) -> { });
 * }</pre>
 */
public final class GgufConversion {
    /** What both tokenizers must make the same tokens of. */
    private static final List<String> PROBES = List.of("Hello, world! How do I reset my password?", "  two  spaces\n\nand lines\t\t.",
            "naïve café, Grüße aus Köln; Übergröße", "In 1984, 3.14159 × 10^6 = 3141590.", "def f(x):\n    return x * 2  # ok\n",
            "日本語のテキスト、中文文本。", "Привет, мир! مرحبا बहुत", "emoji 😀👩‍👩‍👧 and ﬁ ligatures ①", "ALL CAPS don't you'll I'VE", "a", " a", "");

    /** Hears of bytes that are written, of all that there are. */
    @FunctionalInterface
    public interface Progress {
        /** So many are done. */
        void at(long done, long total);
    }

    private GgufConversion() {}

    /**
     * Converts a model. The file appears under its name when it is complete and has been read again: its settings must be
     * those of the source, and its tokenizer must make the same tokens of some texts.
     *
     * @param source a directory of a language model, of a BERT or a language model that embeds texts, or a GGUF file
     * @param target is replaced if it is there
     * @throws ModelNotFoundException if there is nothing, or a file that a model needs is not in the directory
     * @throws FormatException if a file is not what it should be, or GGUF cannot say what it says; the message names it
     * @throws IOException if a file cannot be read or written
     * @throws IllegalArgumentException if source and target are the same file, the target's name does not end in .gguf, or a weight
     *     is not finite
     */
    public static void convert(Path source, Path target, GgufFileType type, Progress progress) throws IOException {
        if (Files.exists(source) && Files.exists(target) && Files.isSameFile(source, target)) {
            throw new IllegalArgumentException("expected another file than the source to write, got " + target);
        }
        if (!target.toString().endsWith(".gguf")) {
            throw new IllegalArgumentException("expected a file to write whose name ends in .gguf, by which it is read, got " + target);
        }
        Path folder = target.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder.toString());
        }
        var writer = new GgufWriter();
        if (EncoderSource.isFile(source)) {
            try (GgufWeights file = GgufWeights.open(source)) {
                ofFile(file, type, writer);
                write(writer, target, progress, _ -> { });
            }
            return;
        }
        ModelFiles files = ModelFiles.ofGenerator(source);
        JsonFile config = JsonFile.read(files.config());
        boolean pools = Files.exists(source.resolve("modules.json"));
        if (DecoderConfig.takes(config) && !pools) {
            ofGenerator(source, files, type, writer, target, progress);
        } else if (DecoderConfig.takes(config)) {
            ofEmbedder(source, type, writer, target, progress);
        } else if (EncoderDecoderConfig.takes(config)) {
            ofTranslator(source, files, type, writer, target, progress);
        } else {
            ofEncoder(source, type, writer, target, progress);
        }
    }

    private static void ofFile(GgufWeights file, GgufFileType type, GgufWriter writer) throws IOException {
        for (String key : file.metadata().keys()) {
            if (!key.equals("general.alignment")) {
                writer.copy(file.metadata(), key);
            }
        }
        putType(type, writer);
        var types = new TensorTypes(type, file.names());
        for (String name : file.names()) {
            Weight weight;
            try {
                weight = file.weight(name);
            } catch (IllegalArgumentException e) {
                throw new FormatException(file.file(), -1, name, "expected floating-point numbers in 1 or 2 dimensions: "
                        + e.getMessage(), e);
            }
            boolean rounded = TensorTypes.isRounded(name, weight.shape());
            writer.tensor(name, rounded ? types.of(name, weight.shape()) : weight.layout(), weight);
        }
    }

    private static void putType(GgufFileType type, GgufWriter writer) {
        writer.put("general.file_type", type.code());
        if (!type.layout().isPlain()) {
            writer.put("general.quantization_version", 2);
        }
    }

    private static void ofGenerator(Path source, ModelFiles files, GgufFileType type, GgufWriter writer, Path target,
            Progress progress) throws IOException {
        DecoderConfig config = DecoderConfig.read(files.config());
        var parts = new GeneratorSource.OfDirectory(files);
        try (Weights file = parts.openWeights(); Tokenizer tokenizer = files.tokenizer() == null ? null : parts.openTokenizer()) {
            Map<String, GgufModelWriter.Tensor> tensors = GgufModelWriter.decoder(config, file, writer);
            writer.put("general.name", String.valueOf(source.toAbsolutePath().normalize().getFileName()));
            int vocabulary = config.decoder(1).vocabulary();
            putTokenizer(files, tokenizer, vocabulary, writer);
            putEnds(files, tokenizer, parts.ends(), writer);
            ChatTemplate template = tokenizer == null ? null : parts.chatTemplate(tokenizer);
            if (template != null) {
                writer.put("tokenizer.chat_template", template.source());
            }
            put(tensors, type, writer);
            write(writer, target, progress, made -> {
                requireSame(tokenizer, made);
                GgufDecoder.read(made).requireSame(config);
            });
        }
    }

    private static void ofTranslator(Path source, ModelFiles files, GgufFileType type, GgufWriter writer, Path target,
            Progress progress) throws IOException {
        var parts = new GeneratorSource.OfDirectory(files);
        EncoderDecoderConfig config = parts.encoderDecoder();
        try (Weights file = parts.openWeights(); Tokenizer tokenizer = files.tokenizer() == null ? null : parts.openTokenizer()) {
            Map<String, GgufModelWriter.Tensor> tensors = GgufT5.write(config, file, writer);
            writer.put("general.name", String.valueOf(source.toAbsolutePath().normalize().getFileName()));
            putTokenizer(files, tokenizer, config.encoder(1).vocabulary(), writer);
            putEnds(files, tokenizer, parts.ends(), writer);
            put(tensors, type, writer);
            write(writer, target, progress, made -> {
                requireSame(tokenizer, made);
                GgufT5.read(made);
            });
        }
    }

    private static void ofEncoder(Path source, GgufFileType type, GgufWriter writer, Path target, Progress progress)
            throws IOException {
        var parts = new DirectorySource(source.toAbsolutePath().normalize(), null);
        EncoderConfig config = parts.config();
        try (Weights file = parts.openWeights(); Tokenizer tokenizer = parts.openTokenizer(config)) {
            Map<String, GgufModelWriter.Tensor> tensors = GgufModelWriter.encoder(config, file, writer);
            writer.put("general.name", String.valueOf(source.toAbsolutePath().normalize().getFileName()));
            SentenceConfig sentence = parts.sentence(config.encoder(), tokenizer.prefix().length + tokenizer.suffix().length);
            writer.put("bert.pooling_type", pooling(source, sentence));
            GgufTokenizerWriter.put(parts.tokenizerFile(), tokenizer, config.encoder().vocabulary(), writer);
            put(tensors, type, writer);
            write(writer, target, progress, made -> {
                requireSame(tokenizer, made);
                GgufEncoder.read(made);
            });
        }
    }

    private static void ofEmbedder(Path source, GgufFileType type, GgufWriter writer, Path target, Progress progress)
            throws IOException {
        var parts = new DirectorySource(source.toAbsolutePath().normalize(), null);
        EncoderConfig config = parts.config();
        try (Weights file = parts.openWeights(); Tokenizer tokenizer = parts.openTokenizer(config);
                Arena arena = Arena.ofConfined()) {
            String architecture = GgufModelWriter.architecture(config);
            Map<String, GgufModelWriter.Tensor> tensors = GgufModelWriter.embedder(config, file, writer);
            writer.put("general.name", String.valueOf(source.toAbsolutePath().normalize().getFileName()));
            SentenceConfig sentence = parts.sentence(config.encoder(), tokenizer.prefix().length + tokenizer.suffix().length);
            writer.put(architecture + ".pooling_type", pooling(source, sentence));
            putDense(source, sentence, architecture, writer, tensors, arena);
            GgufTokenizerWriter.put(parts.tokenizerFile(), tokenizer, config.encoder().vocabulary(), writer);
            put(tensors, type, writer);
            write(writer, target, progress, made -> {
                requireSame(tokenizer, made);
                GgufEncoder.read(made);
            });
        }
    }

    /** The layers behind a pooling, of which GGUF has two of EmbeddingGemma. */
    private static void putDense(Path source, SentenceConfig sentence, String architecture, GgufWriter writer,
            Map<String, GgufModelWriter.Tensor> tensors, Arena arena) throws IOException {
        int number = 2;
        for (SentenceModule module : sentence.behind()) {
            if (module instanceof SentenceModule.Dense dense) {
                String name = "dense_" + number++;
                if (number > 4 || dense.bias() || dense.activation() != DenseActivation.IDENTITY
                        || !architecture.equals("gemma-embedding")) {
                    throw new FormatException(source.resolve("modules.json"), -1, "type", "expected no Dense but the two of"
                            + " EmbeddingGemma, without bias or activation, which is what GGUF can say");
                }
                writer.put(architecture + '.' + name + "_feat_in", dense.inputs());
                writer.put(architecture + '.' + name + "_feat_out", dense.outputs());
                tensors.put(name + ".weight", new GgufModelWriter.Tensor(List.of(copy(dense, arena)), 0, 0));
            }
        }
    }

    /** Their file is not open for as long as the large one. */
    private static Weight copy(SentenceModule.Dense dense, Arena arena) throws IOException {
        try (Weights file = Weights.open(dense.weights())) {
            Weight matrix = file.weight(dense.name() + ".weight");
            Shape shape = Shape.of(dense.outputs(), dense.inputs());
            if (!matrix.shape().equals(shape)) {
                throw new FormatException(dense.weights(), -1, dense.name() + ".weight", "expected shape " + shape + ", got "
                        + matrix.shape());
            }
            Tensor copy = Tensor.allocate(arena, DType.F32, shape);
            float[] row = new float[dense.inputs()];
            for (int r = 0; r < dense.outputs(); r++) {
                matrix.read(r, 0, row.length, row, 0);
                MemorySegment.copy(row, 0, copy.segment(), ValueLayout.JAVA_FLOAT, (long) r * row.length * Float.BYTES, row.length);
            }
            return Weight.of(copy);
        }
    }

    /** As llama.cpp numbers poolings. A file says nothing of what else a pipeline does, but that it normalises. */
    private static int pooling(Path source, SentenceConfig sentence) throws FormatException {
        List<PoolingMode> modes = sentence.pooling();
        int type = modes.equals(List.of(PoolingMode.MEAN)) ? 1 : modes.equals(List.of(PoolingMode.CLS)) ? 2
                : modes.equals(List.of(PoolingMode.FINAL_TOKEN)) ? 3 : 0;
        boolean plain = sentence.normalizes() && sentence.behind().stream().limit(sentence.behind().size() - 1)
                .allMatch(SentenceModule.Dense.class::isInstance) && sentence.includePrompt()
                && sentence.dimensions() == 0 && !sentence.lowerCase() && !sentence.keepsEnd()
                && sentence.prompts().byDefault().isEmpty();
        if (type == 0 || !plain) {
            throw new FormatException(source.resolve("modules.json"), -1, "type", "expected one pooling of mean, cls or lasttoken and a"
                    + " Normalize, without a default prompt, which is what GGUF can say");
        }
        return type;
    }

    private static void put(Map<String, GgufModelWriter.Tensor> tensors, GgufFileType type, GgufWriter writer) {
        putType(type, writer);
        var types = new TensorTypes(type, tensors.keySet());
        tensors.forEach((name, tensor) -> {
            Shape shape = tensor.shape();
            writer.tensor(name, TensorTypes.isRounded(name, shape) ? types.of(name, shape) : Layout.F32, shape, tensor::read);
        });
    }

    private static void putTokenizer(ModelFiles files, Tokenizer tokenizer, int vocabulary, GgufWriter writer) throws IOException {
        if (tokenizer != null) {
            GgufTokenizerWriter.put(files.tokenizer(), tokenizer, vocabulary, writer);
        } else {
            JsonFile config = JsonFile.read(files.config());
            String architecture = EncoderDecoderConfig.takes(config) ? "t5" : GgufModelWriter.architecture(config);
            writer.put("tokenizer.ggml.model", "none").put(architecture + ".vocab_size", vocabulary);
        }
    }

    /** The tokens that end a text, beside those that the tokenizer knows. */
    private static void putEnds(ModelFiles files, Tokenizer tokenizer, List<Integer> ends, GgufWriter writer) throws IOException {
        int[] known = tokenizer == null ? new int[0] : tokenizer.endIds();
        for (int end : ends) {
            if (IntStream.of(known).anyMatch(id -> id == end)) {
                continue;
            }
            String key = List.of("eos", "eot", "eom").stream().map(name -> "tokenizer.ggml." + name + "_token_id")
                    .filter(name -> !writer.has(name) || tokenizer != null && name.contains("eot")
                            && tokenizer.id(SpecialToken.EOT) == tokenizer.id(SpecialToken.EOS)).findFirst().orElse(null);
            if (key == null) {
                throw JsonFile.read(files.config()).wrong("eos_token_id", "at most three tokens that end a text, as GGUF has them");
            }
            writer.put(key, end);
            known = IntStream.concat(IntStream.of(known), IntStream.of(end)).toArray();
        }
    }

    /** Looks at a file before it takes its name. */
    @FunctionalInterface
    private interface Check {
        void of(GgufWeights made) throws IOException;
    }

    private static void write(GgufWriter writer, Path target, Progress progress, Check check) throws IOException {
        long total = writer.bytes();
        Path absolute = target.toAbsolutePath();
        Path made = absolute.resolveSibling("." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".made");
        if (Files.isDirectory(absolute)) {
            throw new FileAlreadyExistsException(target.toString(), null, "is a directory");
        }
        try {
            writer.write(made, done -> progress.at(done, total));
            try (GgufWeights file = GgufWeights.open(made)) {
                check.of(file);
            }
            Files.move(made, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(made);
        }
    }

    private static void requireSame(Tokenizer tokenizer, GgufWeights made) throws IOException {
        if (tokenizer == null) {
            return;
        }
        try (Tokenizer other = Tokenizer.load(made.metadata())) {
            boolean same = Arrays.equals(tokenizer.prefix(), other.prefix()) && Arrays.equals(tokenizer.suffix(), other.suffix());
            for (String probe : PROBES) {
                if (!same || !Arrays.equals(tokenizer.encode(probe), other.encode(probe))) {
                    throw new FormatException(made.file(), -1, "tokenizer", "expected a tokenizer that GGUF can say: it would make other"
                            + " tokens of \"" + probe + "\" than the model's own");
                }
            }
        }
    }
}
