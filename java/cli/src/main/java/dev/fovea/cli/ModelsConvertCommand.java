package dev.fovea.cli;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.GgufConversion;
import dev.fovea.model.GgufFileType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea models convert}: writes a model as a GGUF file. */
@Command(
        name = "convert",
        description = "Write a model as one GGUF file, which llama.cpp reads too: its weights, rounded to a type, its tokenizer and"
                + " the template of its chats.",
        footer = {"", "docs/generation.md lists the families. Rounding a file that is rounded already loses more."})
final class ModelsConvertCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final long MEGABYTE = 1_000_000;

    private final Streams streams;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "A directory in the Hugging Face layout or a .gguf file.")
    private Path source;

    @Parameters(index = "1", paramLabel = "FILE.gguf", description = "The file to write; it is replaced if it is there.")
    private Path target;

    @Option(names = "--type", paramLabel = "f16|q8_0|q4_k_m|…", defaultValue = "f16",
            converter = LowerCaseEnum.OfGgufFileType.class,
            description = "Type of the matrices: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, q2_k, q3_k, q4_k, q5_k,"
                    + " q6_k, or the mix q4_k_m as llama.cpp chooses it (default: ${DEFAULT-VALUE}).")
    private GgufFileType type;

    ModelsConvertCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        try (var bar = new Bar()) {
            GgufConversion.convert(source, target, type, bar);
        }
        streams.print(Excerpt.visible("Wrote " + target + ", " + Files.size(target) / MEGABYTE + " MB") + "\n");
        return ExitCode.OK;
    }

    /** The total is known when the first bytes are written. */
    private final class Bar implements GgufConversion.Progress, AutoCloseable {
        private ProgressBar bar;

        @Override
        public void at(long done, long total) {
            if (bar == null) {
                bar = ProgressBar.ofBytes(streams.err(), total, PATIENCE);
            }
            bar.update(done, done / MEGABYTE);
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
            }
        }
    }
}
