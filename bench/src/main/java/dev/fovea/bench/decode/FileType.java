package dev.fovea.bench.decode;

import dev.fovea.bench.decode.DecoderShape.Matrix;

/** What llama.cpp quantises a whole file to, and the types of the tensors in it. */
enum FileType {
    Q4_0, Q4_K_M, Q8_0, F16, BF16;

    /** The type of a tensor, by the rules of {@code llama_model_quantize} for tied embeddings. */
    BlockType of(Matrix matrix, int layer, int layers) {
        if (matrix.isVector()) {
            return BlockType.F32;
        }
        return switch (this) {
            case Q4_0 -> layer < 0 ? BlockType.Q6_K : BlockType.Q4_0;
            case Q4_K_M -> layer < 0 || hasMoreBits(matrix, layer, layers) ? BlockType.Q6_K : BlockType.Q4_K;
            case Q8_0 -> BlockType.Q8_0;
            case F16 -> BlockType.F16;
            case BF16 -> BlockType.BF16;
        };
    }

    /** Values and the way back from the hidden layer, in the first and last layers and in each third between. */
    private static boolean hasMoreBits(Matrix matrix, int layer, int layers) {
        boolean isOne = matrix.name().contains("attn_v") || matrix.name().contains("ffn_down");
        return isOne && (layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2);
    }

    /**
     * How far logarithms of probabilities may be from those with weights and activations in fp32. llama.cpp, which rounds
     * activations of K types to eight bits 256 at a time, is up to 0.16 off with random weights.
     */
    double tolerance(String side) {
        return this == F16 || this == BF16 ? 0.06 : this == Q4_K_M && !side.equals(DecodeSuite.FOVEA) ? 0.25 : 0.12;
    }
}
