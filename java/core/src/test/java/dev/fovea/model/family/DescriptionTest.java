package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import java.util.List;
import dev.fovea.tensor.Shape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What makes no sense is refused by name and value; what does says which weights it demands. */
class DescriptionTest {
    private static final Attention ATTENTION = Attention.of(4, 5);
    private static final FeedForward FEED_FORWARD = new FeedForward(29, Activation.RELU, false, true);
    private static final Description BASE = Description.of(37, 20, 1, 24, ATTENTION, FEED_FORWARD);

    @Test
    void shouldNameValuesThatMakeNoSense() {
        refused(() -> Description.of(0, 20, 1, 24, ATTENTION, FEED_FORWARD), "vocabulary", "0");
        refused(() -> Description.of(37, -1, 1, 24, ATTENTION, FEED_FORWARD), "width", "-1");
        refused(() -> Description.of(37, 20, 0, 24, ATTENTION, FEED_FORWARD), "layers", "0");
        refused(() -> BASE.withMaxTokens(0), "max_tokens", "0");
        refused(() -> new Embedding(Float.NaN, 0), "embedding_scale", "NaN");
        refused(() -> new Embedding(1, -2), "token_types", "-2");
        refused(() -> Attention.of(0, 5), "heads", "0");
        refused(() -> ATTENTION.withKvHeads(3), "kv_heads 3", "4");
        refused(() -> ATTENTION.withValueDim(0), "value_dim", "0");
        refused(() -> ATTENTION.withScores(Float.POSITIVE_INFINITY, 0), "scale", "Infinity");
        refused(() -> ATTENTION.withScores(1, -1), "softcap", "-1");
        refused(() -> ATTENTION.withMasks(), "mask", "0");
        refused(() -> new FeedForward(0, Activation.RELU, false, true), "feed-forward width", "0");
        refused(() -> Norms.of(Norms.Kind.RMS, Norms.Place.AFTER, -1), "epsilon", "-1");
        refused(() -> new Norms(Norms.Kind.RMS, Norms.Place.AFTER, 0, true, false, false, false), "bias", "RMS");
        refused(() -> new Head.NextToken(true, Float.NaN), "softcap", "NaN");
    }

    @Test
    void shouldNamePositionsThatDoNotFit() {
        refused(() -> new Positions.Learned(3, 3), "3 rows", "3");
        refused(() -> BASE.withPositions(new Positions.Learned(25, 2)), "23 learned positions", "24");
        refused(() -> Positions.Rotary.of(0, 4), "theta", "0.0");
        refused(() -> Positions.Rotary.of(10, 5), "even", "5");
        refused(() -> BASE.withPositions(Positions.Rotary.of(10, 6)), "head_dim 5", "6");
        refused(() -> new Positions.RotaryInTurn(List.of(new Positions.LinearBias())), "RoPE or none", "LinearBias");
        refused(() -> BASE.withAttention(ATTENTION.withQueryKeyNorm(Description.QueryKeyNorm.EACH_HEAD)), "kind RMS", "LAYER");
    }

    @Test
    void shouldTakeMasksInTurn() {
        Attention attention = ATTENTION.withMasks(Mask.causal(), Mask.window(3, 0));
        assertEquals(Mask.causal(), attention.mask(0));
        assertEquals(Mask.window(3, 0), attention.mask(1));
        assertEquals(Mask.causal(), attention.mask(4));
    }

    @Test
    void shouldSayWhichWeightsItDemands() {
        Description description = Description.of(37, 20, 1, 24,
                        new Attention(4, 2, 7, 6, true, false, QueryKeyNorm.ALL_HEADS, 1, 0, ATTENTION.masks()),
                        new FeedForward(29, Activation.SILU, true, false))
                .withEmbedding(new Embedding(1, 2))
                .withPositions(new Positions.Learned(30, 2))
                .withCrossAttention(true)
                .withNorms(new Norms(Norms.Kind.RMS, Norms.Place.SANDWICH, 0, false, false, true, true))
                .withHead(new Head.NextToken(false, 0));
        Map<String, Shape> shapes = new LinkedHashMap<>();
        WeightShapes.<RuntimeException>visit(description, 9, (part, layer, bias, shape) ->
                shapes.put(part + (bias ? " bias " : " ") + layer, shape));
        Map<String, Shape> expected = new LinkedHashMap<>();
        expected.put("WORDS 0", Shape.of(37, 20));
        expected.put("POSITIONS 0", Shape.of(30, 20));
        expected.put("TOKEN_TYPES 0", Shape.of(2, 20));
        expected.put("EMBEDDING_NORM 0", Shape.of(20));
        expected.put("QUERY 0", Shape.of(28, 20));
        expected.put("QUERY bias 0", Shape.of(28));
        expected.put("KEY 0", Shape.of(14, 20));
        expected.put("KEY bias 0", Shape.of(14));
        expected.put("VALUE 0", Shape.of(12, 20));
        expected.put("VALUE bias 0", Shape.of(12));
        expected.put("QUERY_NORM 0", Shape.of(28));
        expected.put("KEY_NORM 0", Shape.of(14));
        expected.put("ATTENTION_OUTPUT 0", Shape.of(20, 24));
        expected.put("ATTENTION_NORM 0", Shape.of(20));
        expected.put("ATTENTION_POST_NORM 0", Shape.of(20));
        expected.put("CROSS_QUERY 0", Shape.of(28, 20));
        expected.put("CROSS_QUERY bias 0", Shape.of(28));
        expected.put("CROSS_KEY 0", Shape.of(14, 9));
        expected.put("CROSS_KEY bias 0", Shape.of(14));
        expected.put("CROSS_VALUE 0", Shape.of(12, 9));
        expected.put("CROSS_VALUE bias 0", Shape.of(12));
        expected.put("CROSS_OUTPUT 0", Shape.of(20, 24));
        expected.put("CROSS_NORM 0", Shape.of(20));
        expected.put("CROSS_POST_NORM 0", Shape.of(20));
        expected.put("GATE 0", Shape.of(29, 20));
        expected.put("UP 0", Shape.of(29, 20));
        expected.put("DOWN 0", Shape.of(20, 29));
        expected.put("FEED_FORWARD_NORM 0", Shape.of(20));
        expected.put("FEED_FORWARD_POST_NORM 0", Shape.of(20));
        expected.put("FINAL_NORM 0", Shape.of(20));
        expected.put("OUTPUT 0", Shape.of(37, 20));
        assertEquals(expected, shapes);
        assertEquals(expected.keySet().stream().toList(), shapes.keySet().stream().toList());
    }

    private static void refused(Executable call, String... named) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(Arrays.stream(named).allMatch(message::contains), message);
    }
}
