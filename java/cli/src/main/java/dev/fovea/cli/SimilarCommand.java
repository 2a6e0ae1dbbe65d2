package dev.fovea.cli;

import com.google.gson.FormattingStyle;
import com.google.gson.stream.JsonWriter;
import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
import dev.fovea.ops.Similarity;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fovea similar}: ranks texts by their similarity to a query. */
@Command(name = "similar", description = "Rank texts by how close in meaning they are to a query, by the similarity that the model is made for:"
                + " the cosine, unless its files say another.")
final class SimilarCommand implements Callable<Integer> {
    private final Streams streams;

    @Mixin
    private EncoderArguments encoderArguments;

    @Mixin
    private LengthArgument lengthArgument;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Parameters(index = "0", paramLabel = "QUERY", description = "The text to compare with.")
    private String query;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "TEXT", description = "The texts to rank.")
    private List<String> texts;

    SimilarCommand(Streams streams) {
        this.streams = streams;
    }

    /** A text's place: {@code index} counts the texts from 0 in the order given. */
    private record Match(int index, String text, float score) {}

    @Override
    public Integer call() throws IOException {
        try (TextEncoder encoder = encoderArguments.load(streams.err(), lengthArgument.policy())) {
            List<String> all = new ArrayList<>(texts);
            all.addFirst(query);
            List<TextEmbedding> embeddings = encoder.embedAll(all);
            List<Match> matches = rank(embeddings, encoder.similarity());
            if (json) {
                writeJson(encoder.name(), matches);
            } else {
                writeTable(matches);
            }
            TruncationNotice truncation = new TruncationNotice("text", encoder.maxTokens());
            truncation.add(embeddings);
            truncation.print(streams.err());
        }
        return ExitCode.OK;
    }

    /** The texts, best first; equal scores keep their order. */
    private List<Match> rank(List<TextEmbedding> embeddings, Similarity similarity) {
        List<Match> matches = new ArrayList<>();
        float[] queryVector = embeddings.getFirst().vector();
        for (int i = 0; i < texts.size(); i++) {
            matches.add(new Match(i, texts.get(i), similarity.of(queryVector, embeddings.get(i + 1).vector())));
        }
        matches.sort(Comparator.comparing(Match::score).reversed());
        return matches;
    }

    private void writeTable(List<Match> matches) throws IOException {
        TextTable table = new TextTable(TextTable.Align.RIGHT, TextTable.Align.RIGHT, TextTable.Align.LEFT);
        for (int i = 0; i < matches.size(); i++) {
            Match match = matches.get(i);
            table.row(i + 1 + ".", String.format(Locale.ROOT, "%.4f", match.score()), match.text());
        }
        streams.print(table.toString());
    }

    private void writeJson(String model, List<Match> matches) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.setFormattingStyle(FormattingStyle.PRETTY);
        out.beginObject();
        out.name("model").value(model);
        out.name("query").value(query);
        out.name("results").beginArray();
        for (Match match : matches) {
            out.beginObject();
            out.name("index").value(match.index());
            out.name("score").value(match.score());
            out.name("text").value(match.text());
            out.endObject();
        }
        out.endArray().endObject().flush();
        streams.print("\n");
    }
}
