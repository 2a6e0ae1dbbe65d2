package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.cli.TextTable.Align;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** {@code fovea models}: the named models. */
@Command(
        name = "models",
        description = "List the named models.",
        footer = {
            "",
            "For any other BERT-family model, give --model DIR: a directory in the Hugging Face layout."
        })
final class ModelsCommand implements Callable<Integer> {
    private final Streams streams;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    ModelsCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (json) {
            writeJson();
        } else {
            writeTable();
        }
        return ExitCode.OK;
    }

    private void writeTable() throws IOException {
        TextTable table = new TextTable(Align.LEFT, Align.RIGHT, Align.RIGHT, Align.LEFT, Align.LEFT, Align.LEFT);
        table.row("name", "dimension", "limit", "pooling", "licence", "present");
        for (NamedModel model : ModelCatalog.models()) {
            table.row(
                    model.name(),
                    Integer.toString(model.dimension()),
                    Integer.toString(model.maxTokens()),
                    LowerCaseEnum.spelling(model.pooling()),
                    model.licence(),
                    ModelCatalog.isPresent(model) ? "yes" : "no: ./fovea models pull " + model.name());
        }
        streams.print(table.toString());
    }

    private void writeJson() throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginArray();
        for (NamedModel model : ModelCatalog.models()) {
            out.beginObject();
            out.name("name").value(model.name());
            out.name("dimension").value(model.dimension());
            out.name("limit").value(model.maxTokens());
            out.name("pooling").value(LowerCaseEnum.spelling(model.pooling()));
            out.name("licence").value(model.licence());
            out.name("artifact").value(model.artifact());
            out.name("present").value(ModelCatalog.isPresent(model));
            out.endObject();
        }
        out.endArray().flush();
        streams.print("\n");
    }
}
