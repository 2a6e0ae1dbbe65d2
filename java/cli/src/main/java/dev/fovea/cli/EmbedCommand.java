package dev.fovea.cli;

import dev.fovea.model.EmbeddingQuantizer;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fovea embed}: texts in, vectors out, block by block. */
@Command(
        name = "embed",
        description = "Turn texts into vectors.",
        footer = {
            "",
            "The output has one line of JSON per text, in input order:",
            "  {\"text\":…,\"tokens\":…,\"embedding\":[…]}",
            "If a text was cut to the model's limit, \"truncated\":true follows the tokens."
        })
final class EmbedCommand implements Callable<Integer> {
    /** How embeddings are written. */
    enum Format {
        JSONL,
        NPY
    }

    /** What the components of vectors become. */
    enum Precision {
        FLOAT32(null, "<f4"),
        INT8(EmbeddingQuantizer.Precision.INT8, "|i1"),
        UINT8(EmbeddingQuantizer.Precision.UINT8, "|u1"),
        BINARY(EmbeddingQuantizer.Precision.BINARY, "|i1"),
        UBINARY(EmbeddingQuantizer.Precision.UBINARY, "|u1");

        private final EmbeddingQuantizer.Precision bytes;
        private final String numPyType;

        Precision(EmbeddingQuantizer.Precision bytes, String numPyType) {
            this.bytes = bytes;
            this.numPyType = numPyType;
        }

        /** Numbers of a vector of {@code dimension} components. */
        int numbers(int dimension) {
            return bytes == null ? dimension : bytes.bytes(dimension);
        }

        boolean isSigned() {
            return numPyType.equals("|i1");
        }
    }

    private final Streams streams;

    @Mixin
    private EncoderArguments encoderArguments;

    @Mixin
    private LengthArgument lengthArgument;

    @Option(
            names = "--input",
            paramLabel = "FILE|-",
            description = "Read one text per line, up to 4 MiB each. - is standard input.")
    private String input;

    @Option(
            names = "--format",
            paramLabel = "jsonl|npy",
            defaultValue = "jsonl",
            converter = LowerCaseEnum.OfFormat.class,
            description = "JSON Lines or a NumPy array (default: ${DEFAULT-VALUE}).")
    private Format format;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "float32",
            converter = LowerCaseEnum.OfPrecision.class,
            description = "float32; int8 or uint8, a byte per component over its range in these texts, whose vectors are all"
                    + " kept until the end; binary or ubinary, a bit per component, packed (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    @Option(names = "--output", paramLabel = "FILE", description = "Write to FILE instead of standard output.")
    private Path output;

    @Option(names = "--sparse", description = "Write weights of terms, with a SPLADE model in a directory.")
    private boolean sparse;

    @Option(names = "--tokens", description = "Write a vector per token, with a ColBERT model in a directory.")
    private boolean tokens;

    @Parameters(paramLabel = "TEXT", arity = "0..*", description = "Texts to embed, instead of --input.")
    private List<String> texts = List.of();

    @Spec
    private CommandSpec command;

    EmbedCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        checkUse();
        if (sparse || tokens) {
            embedParts();
            return ExitCode.OK;
        }
        embedAll().print(streams.err());
        return ExitCode.OK;
    }

    private TruncationNotice embedAll() throws IOException {
        try (TextSource source = openSource();
                TextEncoder encoder = encoderArguments.load(streams.err(), lengthArgument.policy());
                EmbeddingSink sink = openSink(encoder.dimension());
                ProgressBar progress = new ProgressBar(streams.err(), source.total())) {
            Quantizing quantizing = new Quantizing(sink, precision.bytes);
            TruncationNotice truncation = new TruncationNotice(source.unit(), encoder.maxTokens());
            for (List<String> block = source.next(); !block.isEmpty(); block = source.next()) {
                List<TextEmbedding> embeddings = embed(encoder, source, block);
                truncation.add(embeddings);
                progress.erase();
                for (int i = 0; i < block.size(); i++) {
                    quantizing.write(block.get(i), embeddings.get(i));
                }
                sink.flush();
                progress.update(source.done(), source.texts());
            }
            quantizing.finish();
            sink.commit();
            return truncation;
        }
    }

    /** Terms or tokens of all texts, a line of JSON per text. */
    private void embedParts() throws IOException {
        LengthPolicy policy = lengthArgument.policy();
        try (TextSource source = openSource();
                PartEncoder encoder = sparse ? PartEncoder.ofTerms(encoderArguments, policy)
                        : PartEncoder.ofTokens(encoderArguments, policy)) {
            for (List<String> block = source.next(); !block.isEmpty(); block = source.next()) {
                encoder.write(block, streams);
            }
        }
    }

    private void checkUse() {
        if (sparse && tokens) {
            throw new ParameterException(command.commandLine(), "give either --sparse or --tokens, got both");
        }
        if ((sparse || tokens) && (format == Format.NPY || output != null)) {
            throw new ParameterException(command.commandLine(),
                    (sparse ? "--sparse" : "--tokens") + " writes JSON Lines to standard output alone");
        }
        if ((sparse || tokens) && precision != Precision.FLOAT32) {
            throw new ParameterException(command.commandLine(),
                    (sparse ? "--sparse" : "--tokens") + " writes float32 alone, got --precision "
                            + LowerCaseEnum.spelling(precision));
        }
        if ((sparse || tokens) && !encoderArguments.namesModel()) {
            throw new ParameterException(command.commandLine(),
                    (sparse ? "--sparse needs --model DIR, of a SPLADE model" : "--tokens needs --model DIR, of a ColBERT model"));
        }
        if (input == null && texts.isEmpty()) {
            throw new ParameterException(command.commandLine(), "nothing to embed: give TEXT… or --input FILE|-");
        }
        if (input != null && !texts.isEmpty()) {
            throw new ParameterException(command.commandLine(),
                    "give either TEXT… or --input, got --input " + input + " and " + texts.size() + " TEXT");
        }
        if (format == Format.NPY && output == null) {
            throw new ParameterException(command.commandLine(), "--format npy needs --output FILE");
        }
    }

    private TextSource openSource() throws IOException {
        if (input == null) {
            return new TextArguments(texts);
        }
        if (input.equals("-")) {
            return new TextLines("standard input", streams.in(), 0);
        }
        Path file = Path.of(input);
        if (Files.isDirectory(file)) {
            throw new IOException("is a directory: " + file);
        }
        return new TextLines(input, Files.newInputStream(file), Files.size(file));
    }

    private EmbeddingSink openSink(int dimension) throws IOException {
        if (output == null) {
            return JsonLinesSink.to(streams, precision.isSigned());
        }
        if (format == Format.NPY && OutputFile.isSpecial(output)) {
            throw new IOException("a NumPy file needs a regular file, not a device or pipe: " + output);
        }
        OutputFile file = OutputFile.create(output);
        return format == Format.NPY ? new NpySink(file, precision.numPyType, precision.numbers(dimension))
                : JsonLinesSink.to(file, precision.isSigned());
    }

    /** Embeds a block. If a text in it is refused, the error says which one. */
    private static List<TextEmbedding> embed(TextEncoder encoder, TextSource source, List<String> block) {
        try {
            return encoder.embedAll(block);
        } catch (IllegalArgumentException | ArithmeticException e) {
            long number = source.texts() - block.size();
            for (String text : block) {
                number++;
                try {
                    encoder.encode(text);
                } catch (IllegalArgumentException | ArithmeticException refused) {
                    throw new IllegalArgumentException(
                            source.unit() + " " + number + ": " + refused.getMessage(), refused);
                }
            }
            throw e;
        }
    }
}
