package dev.fovea.bench.decode;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The shape of a language model whose output weights are its embeddings.
 *
 * @param name as the report says it
 * @param architecture of llama.cpp
 * @param queryKeyNorms whether queries and keys are normalised
 */
record DecoderShape(String name, String architecture, int layers, int width, int heads, int kvHeads, int headDim, int hidden,
        int vocabulary, float ropeBase, float epsilon, boolean queryKeyNorms) {
    static final DecoderShape QWEN = new DecoderShape("Qwen3-0.6B", "qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 1e6f, 1e-6f, true);
    static final DecoderShape LLAMA =
            new DecoderShape("Llama-3.2-1B", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 5e5f, 1e-5f, false);
    /** For tests. */
    static final DecoderShape TINY = new DecoderShape("tiny", "qwen3", 2, 256, 4, 2, 64, 512, 1024, 1e6f, 1e-6f, true);

    /** That of a name. */
    static DecoderShape of(String name) {
        for (DecoderShape shape : new DecoderShape[] {QWEN, LLAMA, TINY}) {
            if (shape.name.equals(name)) {
                return shape;
            }
        }
        throw new IllegalArgumentException("no shape is called " + name);
    }

    /** Bytes of the keys and values of one token in F16. */
    long cacheBytes() {
        return 2L * layers * kvHeads * headDim * Short.BYTES;
    }

    /** A tensor: its name, rows and columns; of a vector the rows are 1. */
    record Matrix(String name, int rows, int columns) {
        boolean isVector() {
            return rows == 1;
        }
    }

    /** The tensors in the order of the file, by layer; what belongs to no layer has the layer −1. */
    Map<Matrix, Integer> tensors() {
        Map<Matrix, Integer> tensors = new LinkedHashMap<>();
        tensors.put(new Matrix("token_embd.weight", vocabulary, width), -1);
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "blk." + layer + ".";
            tensors.put(new Matrix(prefix + "attn_norm.weight", 1, width), layer);
            tensors.put(new Matrix(prefix + "attn_q.weight", heads * headDim, width), layer);
            tensors.put(new Matrix(prefix + "attn_k.weight", kvHeads * headDim, width), layer);
            tensors.put(new Matrix(prefix + "attn_v.weight", kvHeads * headDim, width), layer);
            tensors.put(new Matrix(prefix + "attn_output.weight", width, heads * headDim), layer);
            if (queryKeyNorms) {
                tensors.put(new Matrix(prefix + "attn_q_norm.weight", 1, headDim), layer);
                tensors.put(new Matrix(prefix + "attn_k_norm.weight", 1, headDim), layer);
            }
            tensors.put(new Matrix(prefix + "ffn_norm.weight", 1, width), layer);
            tensors.put(new Matrix(prefix + "ffn_gate.weight", hidden, width), layer);
            tensors.put(new Matrix(prefix + "ffn_up.weight", hidden, width), layer);
            tensors.put(new Matrix(prefix + "ffn_down.weight", width, hidden), layer);
        }
        tensors.put(new Matrix("output_norm.weight", 1, width), -1);
        return tensors;
    }
}
