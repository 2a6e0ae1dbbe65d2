package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.model.TextClassifier;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea classify}: the labels of texts. */
@Command(name = "classify", description = "Show the labels of texts and their scores.")
final class ClassifyCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private HeadArguments model;

    @Option(names = "--pair", paramLabel = "TEXT", description = "A second text, read with each TEXT.")
    private String pair;

    @Option(names = "--json", description = "Write a line of JSON per text, with all labels.")
    private boolean json;

    @Parameters(arity = "1..*", paramLabel = "TEXT", description = "The texts to classify.")
    private List<String> texts;

    ClassifyCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        try (TextClassifier classifier = TextClassifier.load(model.directory(), model.options())) {
            TextTable table = new TextTable(TextTable.Align.LEFT, TextTable.Align.RIGHT, TextTable.Align.LEFT);
            for (String text : texts) {
                List<TextClassifier.Label> labels =
                        pair == null ? classifier.classify(text) : classifier.classify(text, pair);
                if (json) {
                    writeJson(text, labels);
                } else {
                    addRows(table, text, labels, classifier.isMultiLabel());
                }
            }
            streams.print(json ? "" : table.toString());
        }
        return ExitCode.OK;
    }

    /** The best label or, where a text may have several, all that are likelier than not. */
    private static void addRows(TextTable table, String text, List<TextClassifier.Label> labels, boolean several) {
        for (int i = 0; i < labels.size(); i++) {
            TextClassifier.Label label = labels.get(i);
            if (i == 0 || several && label.score() > 0.5f) {
                table.row(label.name(), String.format(Locale.ROOT, "%.4f", label.score()), i == 0 ? text : "");
            }
        }
    }

    private void writeJson(String text, List<TextClassifier.Label> labels) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.beginObject().name("text").value(text).name("labels").beginArray();
        for (TextClassifier.Label label : labels) {
            out.beginObject().name("label").value(label.name()).name("score").value(label.score()).endObject();
        }
        out.endArray().endObject().flush();
        streams.print("\n");
    }
}
