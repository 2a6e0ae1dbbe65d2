package dev.fovea.bench.rerank;

import dev.fovea.bench.encode.Sentences;
import dev.fovea.model.ModelCatalog;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** What is ranked: passages of prose, of known numbers of tokens. */
final class Passages {
    /** What they are ranked by. */
    static final String QUERY = "what did the family do in the long evenings of that winter";

    /** Tokens beside those of a passage: the query's and special ones. */
    static final int AROUND = 12 + 3;

    /** Passages of 60 to 340 tokens, whose mean is 200. */
    static final String RAGGED = "60 to 340";

    /** Passages of 200 tokens. */
    static final String EQUAL = "200";

    private static final int MEAN = 200;

    private static final int DEVIATION = 60;
    private static final int SHORTEST = 60;

    private Passages() {}

    /** The tokens of each: those of {@link #RAGGED} are normally distributed, and cut to their limits. */
    static int[] lengths(int count, String tokens) {
        SplittableRandom random = new SplittableRandom(200);
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            // Each with its mirror image, so that the mean is exact.
            long drawn = i % 2 == 0 ? drawn(random) : 2 * MEAN - lengths[i - 1];
            lengths[i] = tokens.equals(EQUAL) ? MEAN : (int) drawn;
        }
        return lengths;
    }

    private static long drawn(SplittableRandom random) {
        return Math.round(Math.clamp(MEAN + DEVIATION * random.nextGaussian(), SHORTEST, 2 * MEAN - SHORTEST));
    }

    /** The tokenizer that counts them. */
    static Path tokenizer() throws IOException {
        return ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow()).resolve("tokenizer.json");
    }

    /** A passage of each length: words of novels, one after the other, but for those whose tokens would be too many. */
    static List<String> of(int[] lengths, Tokenizer tokenizer) {
        List<String> words = Sentences.ALL.stream().flatMap(text -> Arrays.stream(text.strip().split("\\s+"))).toList();
        Iterator<Integer> next = IntStream.iterate(0, i -> (i + 1) % words.size()).iterator();
        List<String> passages = new ArrayList<>();
        for (int length : lengths) {
            StringBuilder passage = new StringBuilder();
            int tokens = 0;
            while (tokens < length) {
                String word = words.get(next.next());
                int more = tokenizer.encode(word).length;
                if (tokens + more <= length) {
                    passage.append(passage.isEmpty() ? "" : " ").append(word);
                    tokens += more;
                }
            }
            passages.add(passage.toString());
        }
        return passages;
    }
}
