package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.EngineOptions;
import dev.fovea.cli.TextTable.Align;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea models show}: what a model is, or why it cannot be loaded. */
@Command(
        name = "show",
        description = "Show what a model is: family, weights, tokenizer, pipeline, prompts and the files whose settings are"
                + " followed. If it cannot be loaded, the error says why.")
final class ModelsShowCommand implements Callable<Integer> {
    private final Streams streams;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Parameters(
            paramLabel = "NAME|DIR",
            description = "A name from 'fovea models', a directory in the Hugging Face layout, or a .gguf file.")
    private String model;

    ModelsShowCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        // One thread and plain Java would do; the usual engine says whether it takes the model.
        var options = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        try (TextEncoder encoder = TextEncoder.load(model, options)) {
            if (json) {
                writeJson(encoder.properties());
            } else {
                writeTable(encoder.properties());
            }
        }
        return ExitCode.OK;
    }

    private void writeTable(Map<String, String> properties) throws IOException {
        TextTable table = new TextTable(Align.LEFT, Align.LEFT);
        properties.forEach(table::row);
        streams.print(table.toString());
    }

    private void writeJson(Map<String, String> properties) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginObject();
        for (var property : properties.entrySet()) {
            out.name(property.getKey()).value(property.getValue());
        }
        out.endObject().flush();
        streams.print("\n");
    }
}
