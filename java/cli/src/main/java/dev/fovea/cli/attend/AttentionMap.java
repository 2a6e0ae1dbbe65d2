package dev.fovea.cli.attend;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One picture of attention.
 *
 * @param queries the tokens of the rows
 * @param keys the tokens of the columns
 * @param weights [queries][keys]
 */
public record AttentionMap(List<String> queries, List<String> keys, float[][] weights) {
    /**
     * The weight that gets the strongest colour: the greatest between two tokens of the text. Most heads rest on
     * special tokens, beside which the text would fade. Where there are but special tokens, theirs.
     */
    public float scale() {
        float words = 0;
        float all = 0;
        for (int query = 0; query < queries.size(); query++) {
            for (int key = 0; key < keys.size(); key++) {
                float weight = weights[query][key];
                all = Math.max(all, weight);
                if (!Tokens.isSpecial(queries.get(query)) && !Tokens.isSpecial(keys.get(key))) {
                    words = Math.max(words, weight);
                }
            }
        }
        return words > 0 ? words : all;
    }

    /** How strong a colour a weight gets, 0 to 1: by its root, which keeps small weights distinguishable. */
    public static double strength(float weight, float scale) {
        return scale > 0 ? Math.sqrt(Math.min(1, weight / scale)) : 0;
    }

    /** The keys of the text that {@code query} takes most of, at most {@code count} of them, strongest first. */
    List<Integer> strongest(int query, int count) {
        return IntStream.range(0, keys.size())
                .filter(key -> weights[query][key] > 0 && !Tokens.isSpecial(keys.get(key)))
                .boxed()
                .sorted(Comparator.comparing((Integer key) -> weights[query][key]).reversed())
                .limit(count)
                .toList();
    }

    /** How much {@code query} takes of all special tokens together. */
    double special(int query) {
        return IntStream.range(0, keys.size())
                .filter(key -> Tokens.isSpecial(keys.get(key)))
                .mapToDouble(key -> weights[query][key])
                .sum();
    }
}
