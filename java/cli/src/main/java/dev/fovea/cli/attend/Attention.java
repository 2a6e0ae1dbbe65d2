package dev.fovea.cli.attend;

import dev.fovea.model.AttentionPattern;
import java.util.List;

/**
 * The pattern of a text, with what to say about it.
 *
 * @param model the model's name
 * @param text what it read
 * @param queries the tokens that attend: rows
 * @param keys the tokens that are attended to: columns
 * @param layers how many there are
 * @param heads how many a layer has
 * @param weights the pattern
 */
public record Attention(
        String model, String text, List<String> queries, List<String> keys, int layers, int heads, Weights weights) {
    /** Where weights come from. */
    @FunctionalInterface
    public interface Weights {
        /** The weight of one key for one query; all counted from 0. */
        float at(int layer, int head, int query, int key);
    }

    /** What {@code model} made of {@code text}. */
    public static Attention of(String model, String text, AttentionPattern pattern) {
        return new Attention(model, text, pattern.queryTokens(), pattern.keyTokens(), pattern.layers(), pattern.heads(),
                pattern::at);
    }

    /** The map of a choice, in which a mean is taken in double precision. */
    public AttentionMap map(Choice choice) {
        int firstLayer = choice.isMeanOfLayers() ? 0 : choice.layer() - 1;
        int lastLayer = choice.isMeanOfLayers() ? layers : choice.layer();
        int firstHead = choice.isMeanOfHeads() ? 0 : choice.head() - 1;
        int lastHead = choice.isMeanOfHeads() ? heads : choice.head();
        int count = (lastLayer - firstLayer) * (lastHead - firstHead);
        float[][] map = new float[queries.size()][keys.size()];
        for (int query = 0; query < map.length; query++) {
            for (int key = 0; key < map[query].length; key++) {
                double sum = 0;
                for (int layer = firstLayer; layer < lastLayer; layer++) {
                    for (int head = firstHead; head < lastHead; head++) {
                        sum += weights.at(layer, head, query, key);
                    }
                }
                map[query][key] = (float) (sum / count);
            }
        }
        return new AttentionMap(queries, keys, map);
    }
}
