package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class AttentionTest {
    /** Weights that name their place: layer, head, query, key as digits behind the point. */
    private static final Attention NUMBERED = new Attention("m", "t", List.of("a", "b"), List.of("x", "y", "z"), 2, 3,
            (layer, head, query, key) -> layer / 10f + head / 100f + query / 1000f + key / 10000f);

    @Test
    void shouldPickALayerAndAHead() {
        AttentionMap map = NUMBERED.map(new Choice(2, 3));
        assertEquals(0.1212f, map.weights()[1][2], 1e-6f);
        assertEquals(0.12f, map.weights()[0][0], 1e-6f);
    }

    @Test
    void shouldTakeMeans() {
        assertEquals(0.11f, NUMBERED.map(new Choice(2, Choice.MEAN)).weights()[0][0], 1e-6f);
        assertEquals(0.07f, NUMBERED.map(new Choice(Choice.MEAN, 3)).weights()[0][0], 1e-6f);
        assertEquals(0.06f, NUMBERED.map(new Choice(Choice.MEAN, Choice.MEAN)).weights()[0][0], 1e-6f);
    }

    @Test
    void shouldSayWhatWasPicked() {
        assertEquals("layer 2 of 6, head 3 of 12", new Choice(2, 3).describe(6, 12));
        assertEquals("mean of 6 layers, mean of 12 heads", new Choice(Choice.MEAN, Choice.MEAN).describe(6, 12));
    }

    @Test
    void shouldScaleToTheTextRatherThanSpecialTokens() {
        List<String> tokens = List.of("[CLS]", "a", "b");
        float[][] weights = {{0.1f, 0.8f, 0.1f}, {0.7f, 0.1f, 0.2f}, {0.9f, 0.1f, 0}};
        AttentionMap map = new AttentionMap(tokens, tokens, weights);
        assertEquals(0.2f, map.scale());
        assertEquals(List.of(2, 1), map.strongest(1, 3));
        assertEquals(List.of(1), map.strongest(2, 3));
        assertEquals(0.7f, map.special(1), 1e-6f);
        assertEquals(1, AttentionMap.strength(0.9f, map.scale()));
        assertEquals(0.5, AttentionMap.strength(0.05f, map.scale()), 1e-6);
        assertEquals(0, AttentionMap.strength(0, 0));
        List<String> special = List.of("[CLS]");
        assertEquals(1, new AttentionMap(special, special, new float[][] {{1}}).scale());
    }
}
