package dev.fovea.bench.golden;

import java.util.List;

/**
 * A model that golden vectors are made with, as its authors use it.
 *
 * @param name of its resources {@code <name>.onnx} and {@code <name>-tokenizer.json}
 * @param maxTokens tokens that it takes, special tokens included
 * @param pooling {@code "mean"} or {@code "cls"}; all normalise the result
 */
record GoldenModel(String name, int maxTokens, String pooling) {
    static final List<GoldenModel> ALL = List.of(
            new GoldenModel("all-minilm-l6-v2", 256, "mean"),
            new GoldenModel("all-minilm-l6-v2-q", 256, "mean"),
            new GoldenModel("bge-small-en-v1.5", 512, "cls"),
            new GoldenModel("e5-small-v2", 512, "mean"),
            new GoldenModel("bge-small-zh-v1.5", 512, "cls"));

    /** {@code hidden}, [tokens][width], as one vector of length 1; in double. */
    double[] pool(float[][] hidden) {
        double[] vector = new double[hidden[0].length];
        int rows = pooling.equals("mean") ? hidden.length : 1;
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < vector.length; i++) {
                vector[i] += hidden[row][i] / (double) rows;
            }
        }
        double squares = 0;
        for (double component : vector) {
            squares += component * component;
        }
        double norm = Math.max(Math.sqrt(squares), 1e-12);
        for (int i = 0; i < vector.length; i++) {
            vector[i] /= norm;
        }
        return vector;
    }
}
