package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Pooling;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FusionTest {
    private static final int WIDTH = 8;
    private static final AttentionSpec TWO_HEADS = AttentionSpec.of(2, WIDTH / 2);

    private final Arena arena = Arena.ofConfined();
    private final RandomWeights weights = new RandomWeights(arena, new Random(1));
    private final Graph.Builder g = Graph.builder();
    private final Value x = g.named("x").embedding(weights.matrix(5, WIDTH), null, 0, null);

    @AfterEach
    void closeArena() {
        arena.close();
    }

    @Test
    void shouldRunSevenStepsPerBertLayer() {
        List<String> layer = List.of("linear bias", "attention", "linear bias residual", "layer_norm",
                "linear bias gelu_erf", "linear bias residual", "layer_norm");

        List<String> steps = steps(Bert.small().graph(arena));

        assertEquals(2 + 2 * layer.size() + 1, steps.size());
        assertEquals(List.of("embedding", "layer_norm"), steps.subList(0, 2));
        assertEquals(layer, steps.subList(2, 9));
        assertEquals(layer, steps.subList(9, 16));
        assertEquals("pool mean normalize", steps.getLast());
    }

    @Test
    void shouldMakeOneProductOfLinearsThatShareTheirInput() {
        Value q = linear(x);
        Value k = linear(x);
        Value v = linear(x);

        List<Stage> stages = Plan.stages(g.build(g.attention(q, k, v, TWO_HEADS)));

        assertEquals(List.of(q, k, v), stages.get(1).outputs());
        assertEquals(3, stages.size());
    }

    @Test
    void shouldMergeActivatedLinearsOnlyWithOthersOfTheSameActivation() {
        Value gate = g.activate(linear(x), Activation.GELU_ERF);
        Value up = linear(x);
        Value other = g.activate(linear(x), Activation.GELU_ERF);

        assertEquals(List.of("embedding", "linear gelu_erf", "linear", "attention"),
                steps(g.build(g.attention(gate, up, other, TWO_HEADS))));
    }

    @Test
    void shouldKeepALinearThatIsAnOutputAlone() {
        Value hidden = linear(x);
        Value sum = g.layerNorm(linear(x), weights.gamma(WIDTH), weights.vector(WIDTH), 0);

        assertEquals(List.of("embedding", "linear", "linear", "layer_norm"), steps(g.build(hidden, sum)));
    }

    @Test
    void shouldNotFuseAnActivationWhoseInputHasAnotherReader() {
        Value linear = linear(x);
        Value activated = g.activate(linear, Activation.GELU_TANH);

        assertEquals(List.of("embedding", "linear", "gelu_tanh", "add"), steps(g.build(g.add(linear, activated))));
    }

    @Test
    void shouldNotFuseAnActivationWhoseInputIsAnOutput() {
        Value linear = linear(x);

        assertEquals(List.of("embedding", "linear", "gelu_tanh"),
                steps(g.build(g.activate(linear, Activation.GELU_TANH), linear)));
    }

    @Test
    void shouldNotPutAnActivationOfASumIntoTheLinear() {
        Value sum = g.add(x, linear(x));

        assertEquals(List.of("embedding", "linear residual \"x\"", "gelu_erf"),
                fullSteps(g.build(g.activate(sum, Activation.GELU_ERF))));
    }

    @Test
    void shouldTakeTheLaterLinearOfASumAndWaitForItsOtherSide() {
        Value early = g.named("early").linear(x, weights.matrix(WIDTH, WIDTH), null);
        Value late = linear(x);

        assertEquals(List.of("embedding", "linear", "linear residual \"early\""),
                fullSteps(g.build(g.add(late, early))));
    }

    @Test
    void shouldAddAValueToItselfWithoutFusion() {
        Value linear = linear(x);

        assertEquals(List.of("embedding", "linear", "add"), steps(g.build(g.add(linear, linear))));
    }

    @Test
    void shouldAddOneResidualPerLinear() {
        Value once = g.add(linear(x), x);

        assertEquals(List.of("embedding", "linear residual \"x\"", "add"), fullSteps(g.build(g.add(once, x))));
    }

    @Test
    void shouldNormalizeTokensWithoutPooling() {
        assertEquals(List.of("embedding", "normalize"), steps(g.build(g.normalize(x))));
    }

    @Test
    void shouldLeaveOutWhatNoOutputNeeds() {
        linear(linear(x));

        assertEquals(List.of("embedding", "pool cls"), steps(g.build(g.pool(x, Pooling.CLS))));
    }

    private Value linear(Value input) {
        return g.linear(input, weights.matrix(WIDTH, WIDTH), null);
    }

    private static List<String> fullSteps(Graph graph) {
        return Plan.stages(graph).stream().map(Stage::describe).toList();
    }

    /** The steps without the names of residuals. */
    private static List<String> steps(Graph graph) {
        return fullSteps(graph).stream().map(step -> step.replaceAll(" \".*\"", "")).toList();
    }
}
