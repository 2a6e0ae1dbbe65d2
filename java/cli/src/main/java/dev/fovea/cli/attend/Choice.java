package dev.fovea.cli.attend;

/**
 * A layer and a head, each counted from 1, or 0 for the mean over all of them.
 *
 * @param layer the layer, or {@link #MEAN}
 * @param head the head, or {@link #MEAN}
 */
public record Choice(int layer, int head) {
    /** Stands for the mean over all layers or heads. */
    public static final int MEAN = 0;

    boolean isMeanOfLayers() {
        return layer == MEAN;
    }

    boolean isMeanOfHeads() {
        return head == MEAN;
    }

    /** Such as {@code layer 3 of 6, mean of 12 heads}. */
    public String describe(int layers, int heads) {
        return (isMeanOfLayers() ? mean(layers, "layer") : "layer " + layer + " of " + layers) + ", "
                + (isMeanOfHeads() ? mean(heads, "head") : "head " + head + " of " + heads);
    }

    private static String mean(int count, String name) {
        return "mean of " + count + " " + name + (count == 1 ? "" : "s");
    }
}
