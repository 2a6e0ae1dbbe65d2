package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.EngineOptions;
import dev.fovea.cli.TextTable.Align;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fovea models show}: what a model is, or why it cannot be loaded. */
@Command(
        name = "show",
        description = "Show what a model is: family, weights, tokenizer, pipeline, prompts and the files whose settings are"
                + " followed; of a language model, family, weights, tokenizer and context. If it cannot be loaded, the error"
                + " says why. Of a named model that is not here, show what is known.")
final class ModelsShowCommand implements Callable<Integer> {
    private final Streams streams;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Option(
            names = "--weights-file",
            paramLabel = "FILE",
            description = "Look at this file of the directory's weights, such as onnx/model_quantized.onnx.")
    private String weightsFile;

    @Parameters(
            paramLabel = "NAME|DIR|FILE.gguf",
            description = "A name from 'fovea models', a directory in the Hugging Face layout or a .gguf file.")
    private String model;

    @Spec
    private CommandSpec spec;

    ModelsShowCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        Map<String, String> properties = properties();
        if (json) {
            writeJson(properties);
        } else {
            writeTable(properties);
        }
        return ExitCode.OK;
    }

    private Map<String, String> properties() throws IOException {
        Optional<NamedModel> named = ModelCatalog.find(model).filter(_ -> !Files.isDirectory(Path.of(model)));
        if (named.isPresent() && !ModelCatalog.isPresent(named.get())) {
            Map<String, String> known = named.get().properties();
            known.put("present", ModelsCommand.present(named.get()));
            return known;
        }
        if (named.isEmpty() && TextGenerator.takes(Path.of(model))) {
            if (weightsFile != null) {
                throw new ParameterException(spec.commandLine(), "--weights-file chooses among the files of an encoder, and "
                        + model + " is a language model");
            }
            return TextGenerator.properties(Path.of(model));
        }
        // One thread and plain Java would do; the usual engine says whether it takes the model.
        var options = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        if (weightsFile != null) {
            options = options.withWeightsFile(weightsFile);
        }
        try (TextEncoder encoder = TextEncoder.load(model, options)) {
            Map<String, String> properties = new LinkedHashMap<>(encoder.properties());
            named.ifPresent(known -> addTo(properties, known.properties()));
            return properties;
        }
    }

    /** Adds what the directory does not say. Its own prompts are followed; those of the catalog are what authors advise. */
    private static void addTo(Map<String, String> properties, Map<String, String> known) {
        properties.put("advised", known.get("prompts"));
        for (String name : List.of("languages", "licence", "published")) {
            properties.put(name, known.get(name));
        }
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
