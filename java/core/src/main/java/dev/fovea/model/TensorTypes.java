package dev.fovea.model;

import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which layout each tensor of a GGUF file gets, by the rules of llama.cpp's {@code llama_model_quantize}: rows that are no
 * multiple of 256 fall back to blocks of 32, others to F16; vectors and tables of positions are not rounded.
 */
final class TensorTypes {
    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\.");
    private static final List<String> KEPT = List.of("position_embd.weight", "token_types.weight", "attn_rel_b.weight",
            "ffn_gate_inp.weight", "rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight");

    private final GgufFileType type;
    private final boolean tied;
    private final int layers;

    /** Of a file of these tensors. */
    TensorTypes(GgufFileType type, Collection<String> names) {
        this.type = type;
        this.tied = !names.contains("output.weight");
        this.layers = (int) names.stream().filter(name -> name.endsWith("ffn_down.weight")).count();
    }

    /** Whether a tensor takes the type of the file. */
    static boolean isRounded(String name, Shape shape) {
        return shape.rank() == 2 && name.endsWith(".weight") && !name.endsWith("_norm.weight")
                && KEPT.stream().noneMatch(name::endsWith);
    }

    /** The layout of one that does. */
    Layout of(String name, Shape shape) {
        Layout wanted = type == GgufFileType.Q4_K_M ? mixed(name) : type.layout();
        long columns = shape.size(1);
        if (columns % wanted.blockValues() == 0) {
            return wanted;
        }
        Layout smaller = switch (wanted) {
            case Q2_K, Q3_K -> Layout.IQ4_NL;
            case Q4_K -> Layout.Q5_0;
            case Q5_K -> Layout.Q5_1;
            case Q6_K -> Layout.Q8_0;
            default -> Layout.F16;
        };
        return columns % smaller.blockValues() == 0 ? smaller : Layout.F16;
    }

    private Layout mixed(String name) {
        if (name.equals("output.weight") || tied && name.equals("token_embd.weight")) {
            return Layout.Q6_K;
        }
        if (name.endsWith("attn_qkv.weight")) {
            return Layout.Q5_K;
        }
        Matcher layer = LAYER.matcher(name);
        boolean matters = name.endsWith("attn_v.weight") || name.endsWith("ffn_down.weight");
        return matters && layer.find() && isCostly(Integer.parseInt(layer.group(1))) ? Layout.Q6_K : Layout.Q4_K;
    }

    /** The first and the last eighth of the layers, and every third between. */
    private boolean isCostly(int layer) {
        int eighth = layers / 8;
        return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
    }
}
