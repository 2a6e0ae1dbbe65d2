package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.model.Reranker;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea rerank}: ranks texts by how well they answer a query. */
@Command(name = "rerank", description = "Rank texts by how well they answer a query, with a model that reads both.")
final class RerankCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private HeadArguments model;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Parameters(index = "0", paramLabel = "QUERY", description = "The query.")
    private String query;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "TEXT", description = "The texts to rank.")
    private List<String> texts;

    RerankCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        try (Reranker reranker = Reranker.load(model.directory(), model.options())) {
            List<Reranker.Ranked> ranked = reranker.rank(query, texts);
            if (json) {
                writeJson(reranker.name(), ranked);
            } else {
                writeTable(ranked);
            }
        }
        return ExitCode.OK;
    }

    private void writeTable(List<Reranker.Ranked> ranked) throws IOException {
        TextTable table = new TextTable(TextTable.Align.RIGHT, TextTable.Align.RIGHT, TextTable.Align.LEFT);
        for (int i = 0; i < ranked.size(); i++) {
            Reranker.Ranked place = ranked.get(i);
            table.row(i + 1 + ".", String.format(Locale.ROOT, "%.4f", place.score()), texts.get(place.index()));
        }
        streams.print(table.toString());
    }

    private void writeJson(String name, List<Reranker.Ranked> ranked) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginObject().name("model").value(name).name("query").value(query).name("results").beginArray();
        for (Reranker.Ranked place : ranked) {
            out.beginObject().name("index").value(place.index()).name("score").value(place.score())
                    .name("text").value(texts.get(place.index())).endObject();
        }
        out.endArray().endObject().flush();
        streams.print("\n");
    }
}
