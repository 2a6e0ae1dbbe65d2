package dev.fovea.cli;

import dev.fovea.cli.attend.Attention;
import dev.fovea.cli.attend.AttentionJson;
import dev.fovea.cli.attend.AttentionMap;
import dev.fovea.cli.attend.AttentionPage;
import dev.fovea.cli.attend.Choice;
import dev.fovea.cli.attend.Picture;
import dev.fovea.cli.attend.TerminalMap;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code fovea attend}: what each token of a text attends to. */
@Command(
        name = "attend",
        description = "Show what each token of a text attends to, by layer and head.",
        footer = {
            "",
            "Each row is a token that attends, each column a token that it attends to. The strongest colour marks the"
                    + " largest weight between two tokens of the text, not counting special tokens.",
            "An .html page lets you explore all layers and heads. JSON also has all of them, unless you choose with"
                    + " --layer or --head. In the terminal, NO_COLOR=1 turns colours off, and COLUMNS sets the width."
        })
final class AttendCommand implements Callable<Integer> {
    /** What to write, chosen by the file name extension. */
    private enum Format {
        HTML,
        SVG,
        PNG,
        JSON
    }

    private final Streams streams;

    @Mixin
    private EncoderArguments encoderArguments;

    @Option(
            names = "--layer",
            paramLabel = "L|mean",
            converter = Numbered.class,
            description = "A layer, counted from 1, or the mean of all (default: 1, where each vector is still"
                    + " close to its own token; JSON: all layers).")
    private Integer layer;

    @Option(
            names = "--head",
            paramLabel = "H|mean",
            converter = Numbered.class,
            description = "A head, counted from 1, or the mean of all (default: mean; JSON: all heads).")
    private Integer head;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Write to FILE instead of the terminal: .html, .svg, .png or .json.")
    private Path out;

    @Parameters(paramLabel = "TEXT", arity = "1..*", description = "The text. Put several words in quotes.")
    private List<String> texts;

    @Spec
    private CommandSpec command;

    AttendCommand(Streams streams) {
        this.streams = streams;
    }

    /** Reads a number from 1 on or {@code mean}. */
    private static final class Numbered implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                int number = value.equals("mean") ? Choice.MEAN : Integer.parseInt(value);
                if (number > 0 || value.equals("mean")) {
                    return number;
                }
            } catch (NumberFormatException _) {
                // Reported below.
            }
            throw new TypeConversionException("expected a number of at least 1, or mean, got '" + value + "'");
        }
    }

    @Override
    public Integer call() throws IOException {
        Format format = out == null ? null : format(out);
        if (texts.size() > 1) {
            throw new ParameterException(command.commandLine(), "expected one TEXT, got " + texts.size()
                    + ": the models read each text on its own; put a text of several words in quotes");
        }
        encoderArguments.refuseDimensions();
        Attention attention = attention(texts.getFirst());
        checkRange("--layer", layer, attention.layers());
        checkRange("--head", head, attention.heads());
        if (format == null) {
            print(attention);
        } else {
            write(attention, format);
        }
        return ExitCode.OK;
    }

    private Attention attention(String text) throws IOException {
        if (encoderArguments.namesGenerator()) {
            try (TextGenerator generator = encoderArguments.loadGenerator(streams.err())) {
                return Attention.of(encoderArguments.directory().getFileName().toString(), text, generator.explain(text));
            }
        }
        try (TextEncoder encoder = encoderArguments.load(streams.err(), LengthPolicy.ERROR)) {
            return Attention.of(encoder.name(), text, encoder.explain(text));
        }
    }

    private Format format(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        for (Format format : Format.values()) {
            if (name.endsWith("." + LowerCaseEnum.spelling(format))) {
                return format;
            }
        }
        throw new ParameterException(command.commandLine(),
                "--out must end in .html, .svg, .png or .json, got " + file);
    }

    private void checkRange(String option, Integer number, int most) {
        if (number != null && number > most) {
            throw new ParameterException(command.commandLine(),
                    option + " must be 1 to " + most + " or mean, got " + number);
        }
    }

    private Choice choice() {
        return new Choice(layer == null ? 1 : layer, head == null ? Choice.MEAN : head);
    }

    private void print(Attention attention) throws IOException {
        AttentionMap map = attention.map(choice());
        streams.print(Excerpt.visible(attention.model()) + ", " + choice().describe(attention.layers(), attention.heads())
                + "; rows attend to columns\n\n"
                + TerminalMap.draw(map, Terminal.columns(System.getenv()), Terminal.isColored(System.getenv()))
                + "\nTo see others: --layer 1 to " + attention.layers() + ", --head 1 to " + attention.heads()
                + ". To see all: --out map.html\n");
    }

    private void write(Attention attention, Format format) throws IOException {
        try (OutputFile file = OutputFile.create(out)) {
            OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(file.channel()));
            switch (format) {
                case HTML -> AttentionPage.write(attention, choice(), stream);
                case SVG -> new Picture(attention, choice()).writeSvg(stream);
                case PNG -> new Picture(attention, choice()).writePng(stream);
                case JSON -> AttentionJson.write(
                        attention, numbers(layer, attention.layers()), numbers(head, attention.heads()), stream);
            }
            stream.flush();
            file.commit();
        }
    }

    /** The chosen number, or all. */
    private static List<Integer> numbers(Integer picked, int most) {
        return picked != null ? List.of(picked) : IntStream.rangeClosed(1, most).boxed().toList();
    }
}
