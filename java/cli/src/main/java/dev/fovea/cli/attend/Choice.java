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
        return (isMeanOfLayers() ? "mean of " + layers + (layers == 1 ? " layer" : " layers") : "layer " + layer + " of " + layers) + ", "
                + (isMeanOfHeads() ? "mean of " + heads + (heads == 1 ? " head" : " heads") : "head " + head + " of " + heads);
    }
}
