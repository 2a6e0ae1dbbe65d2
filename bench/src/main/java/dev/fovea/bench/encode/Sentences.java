package dev.fovea.bench.encode;

import dev.fovea.model.ModelCatalog;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Real English sentences, whose lengths vary as they do in prose. */
public final class Sentences {
    /** All of them, in random order, which is the same in each run. */
    public static final List<String> ALL = read();

    private Sentences() {}

    /** The number of words in a text. */
    public static int words(String text) {
        return text.strip().split("\\s+").length;
    }

    /** The token ids of the first {@code count} sentences, special tokens included. */
    public static List<int[]> tokenized(int count) throws IOException {
        return tokenized(ALL.subList(0, Math.min(count, ALL.size())));
    }

    /** The token ids of texts, special tokens included. */
    public static List<int[]> tokenized(List<String> texts) throws IOException {
        Path model = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        try (Tokenizer tokenizer = Tokenizer.load(model.resolve("tokenizer.json"))) {
            return texts.stream().map(text -> framed(tokenizer, text)).toList();
        }
    }

    private static int[] framed(Tokenizer tokenizer, String text) {
        return TokenBatch.of(List.of(tokenizer.prefix(), tokenizer.encode(text), tokenizer.suffix())).ids();
    }

    private static List<String> read() {
        try (InputStream in = Sentences.class.getResourceAsStream("sentences.txt")) {
            // Lines that begin so say where the sentences come from.
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
