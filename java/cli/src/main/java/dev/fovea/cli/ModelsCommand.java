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
            "For a model whose directory has to be brought, and for any other of a family that docs/models.md lists, give"
                    + " --model DIR: a directory in the Hugging Face layout."
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
        TextTable table = new TextTable(
                Align.LEFT, Align.LEFT, Align.RIGHT, Align.RIGHT, Align.LEFT, Align.LEFT, Align.LEFT, Align.LEFT);
        table.row("name", "task", "dimension", "limit", "pooling", "languages", "licence", "present");
        for (NamedModel model : ModelCatalog.models()) {
            table.row(
                    model.name(),
                    LowerCaseEnum.spelling(model.task()),
                    number(model.dimension()),
                    number(model.maxTokens()),
                    model.pooling() == null ? "-" : LowerCaseEnum.spelling(model.pooling()),
                    model.languages(),
                    model.licence(),
                    present(model));
        }
        streams.print(table.toString());
    }

    private static String number(int value) {
        return value == 0 ? "-" : Integer.toString(value);
    }

    /** Whether the model is here, or what brings it. */
    static String present(NamedModel model) throws IOException {
        if (ModelCatalog.isPresent(model)) {
            return "yes";
        }
        return model.hasArtifact() ? "no: ./fovea models pull " + model.name() : "bring the directory";
    }

    private void writeJson() throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginArray();
        for (NamedModel model : ModelCatalog.models()) {
            out.beginObject();
            out.name("name").value(model.name());
            out.name("published").value(model.address());
            out.name("task").value(LowerCaseEnum.spelling(model.task()));
            out.name("family").value(model.family());
            out.name("dimension").value(model.dimension() == 0 ? null : model.dimension());
            out.name("limit").value(model.maxTokens() == 0 ? null : model.maxTokens());
            out.name("pooling").value(model.pooling() == null ? null : LowerCaseEnum.spelling(model.pooling()));
            out.name("prompts").beginObject();
            for (var prompt : model.prompts().entrySet()) {
                out.name(prompt.getKey()).value(prompt.getValue());
            }
            out.endObject();
            out.name("languages").value(model.languages());
            out.name("licence").value(model.licence());
            out.name("artifact").value(model.hasArtifact() ? model.artifact().coordinates() : null);
            out.name("exclude").value(model.hasArtifact() ? NamedModel.Artifact.EXCLUSION : null);
            out.name("present").value(ModelCatalog.isPresent(model));
            out.endObject();
        }
        out.endArray().flush();
        streams.print("\n");
    }
}
