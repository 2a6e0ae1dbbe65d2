package dev.fovea.cli.attend;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Patterns for tests, without a model. */
final class Patterns {
    private Patterns() {}

    /** Self-attention of a text between two special tokens. */
    static Attention of(int layers, int heads, String... words) {
        List<String> tokens = new ArrayList<>(List.of("[CLS]"));
        Collections.addAll(tokens, words);
        tokens.add("[SEP]");
        return crossing(layers, heads, tokens, tokens);
    }

    /** Self-attention of this many tokens. */
    static Attention ofLength(int layers, int heads, int tokens) {
        String[] words = new String[tokens - 2];
        for (int i = 0; i < words.length; i++) {
            words[i] = (i % 7 == 3 ? "##" : "") + "word".substring(0, 1 + i % 4) + i;
        }
        return of(layers, heads, words);
    }

    /** Drawn weights, of which each row sums to 1. */
    static Attention crossing(int layers, int heads, List<String> queries, List<String> keys) {
        Random random = new Random(7);
        float[][][][] weights = new float[layers][heads][queries.size()][keys.size()];
        for (float[][][] layer : weights) {
            for (float[][] head : layer) {
                for (float[] row : head) {
                    float sum = 0;
                    for (int key = 0; key < row.length; key++) {
                        row[key] = (float) Math.exp(2 * random.nextGaussian());
                        sum += row[key];
                    }
                    for (int key = 0; key < row.length; key++) {
                        row[key] /= sum;
                    }
                }
            }
        }
        return new Attention("a-model", String.join(" ", queries), queries, keys, layers, heads,
                (layer, head, query, key) -> weights[layer][head][query][key]);
    }
}
