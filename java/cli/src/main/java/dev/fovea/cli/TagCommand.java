package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.model.TokenClassifier;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea tag}: the entities of texts. */
@Command(name = "tag", description = "Show what stands where in texts, such as names.")
final class TagCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private HeadArguments model;

    @Option(
            names = "--aggregation",
            paramLabel = "none|simple|first|average|max",
            defaultValue = "simple",
            converter = LowerCaseEnum.OfAggregation.class,
            description = "How the labels of tokens become those of entities (default: ${DEFAULT-VALUE}).")
    private TokenClassifier.Aggregation aggregation;

    @Option(names = "--json", description = "Write a line of JSON per text.")
    private boolean json;

    @Parameters(arity = "1..*", paramLabel = "TEXT", description = "The texts to read.")
    private List<String> texts;

    TagCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        try (TokenClassifier tagger = TokenClassifier.load(model.directory(), model.options())) {
            TextTable table = new TextTable(TextTable.Align.LEFT, TextTable.Align.RIGHT, TextTable.Align.RIGHT,
                    TextTable.Align.LEFT);
            for (String text : texts) {
                List<TokenClassifier.Entity> entities = tagger.tag(text, aggregation);
                if (json) {
                    writeJson(text, entities);
                }
                for (TokenClassifier.Entity entity : entities) {
                    table.row(entity.label(), String.format(Locale.ROOT, "%.4f", entity.score()),
                            entity.start() + "-" + entity.end(), entity.text());
                }
            }
            streams.print(json ? "" : table.toString());
        }
        return ExitCode.OK;
    }

    private void writeJson(String text, List<TokenClassifier.Entity> entities) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.beginObject().name("text").value(text).name("entities").beginArray();
        for (TokenClassifier.Entity entity : entities) {
            out.beginObject().name("label").value(entity.label()).name("score").value(entity.score())
                    .name("text").value(entity.text()).name("start").value(entity.start())
                    .name("end").value(entity.end()).endObject();
        }
        out.endArray().endObject().flush();
        streams.print("\n");
    }
}
