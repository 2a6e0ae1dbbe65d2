package dev.fovea.internal.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.fovea.internal.backend.BatchLimits;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import dev.fovea.tensor.WeightStorage;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of the steps of a plan before the library sees them: which are fused, and of which type each matrix is. */
class CudaPlanTest {
    private static final int WIDTH = 8;

    private static final Operand X = tokens(0, WIDTH);
    private static final Operand GATE = tokens(16, 2 * WIDTH);
    private static final Operand UP = tokens(32, 2 * WIDTH);
    private static final Operand Y = tokens(48, WIDTH);

    private static Operand tokens(long offset, int columns) {
        return new Operand(Rows.TOKENS, offset, columns, 0, columns, DType.F32);
    }

    private static Operand sequences(long offset, int columns) {
        return new Operand(Rows.SEQUENCES, offset, columns, 0, columns, DType.F32);
    }

    private static Weight weight(int rows, int columns) {
        return Weight.of(Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(rows, columns)));
    }

    private static Step embedding() {
        return new Step.Embedding(weight(10, WIDTH), 1, null, 0, null, X);
    }

    private static Step.Linear linear(Operand x, Activation activation, Operand residual, Operand out) {
        return new Step.Linear(x, List.of(new Step.Part(weight(out.columns(), x.columns()), null)), activation,
                residual, out);
    }

    private static Step multiply(Operand a, Operand b, Operand out) {
        return new Step.Multiply(a, Activation.NONE, b, out);
    }

    private static CudaPlan plan(DType weights, List<Operand> outputs, Step... steps) {
        return CudaPlan.of(new LoweredPlan(List.of(steps), WeightStorage.of(weights), outputs, 64, 16,
                new BatchLimits(10, 0, Long.MAX_VALUE, Integer.MAX_VALUE, 0)));
    }

    @Test
    void shouldFuseAGatedProduct() {
        Step.Linear gate = linear(X, Activation.SILU, null, GATE);
        Step.Linear up = linear(X, Activation.NONE, null, UP);
        for (boolean gateFirst : new boolean[] {true, false}) {
            for (Operand out : List.of(GATE, UP)) {
                CudaPlan plan = plan(DType.BF16, List.of(Y), embedding(), gateFirst ? gate : up, gateFirst ? up : gate,
                        multiply(GATE, UP, out), linear(out, Activation.NONE, null, Y));
                assertEquals(3, plan.steps().size());
                CudaStep fused = plan.steps().get(1);
                assertEquals(new Step.Linear(X, gate.parts(), Activation.SILU, null, out), fused.step());
                assertEquals(up, fused.up());
            }
        }
    }

    @Test
    void shouldNotFuseProductsThatOthersReadOrThatBothHaveAnActivation() {
        Step.Linear gate = linear(X, Activation.SILU, null, GATE);
        Step.Linear up = linear(X, Activation.NONE, null, UP);
        List<CudaPlan> plans = List.of(
                // The factor that stays where it is, is read again.
                plan(DType.F32, List.of(UP), embedding(), gate, up, multiply(GATE, UP, GATE),
                        new Step.Add(GATE, UP, UP)),
                plan(DType.F32, List.of(UP, GATE), embedding(), gate, up, multiply(GATE, UP, GATE)),
                plan(DType.F32, List.of(GATE), embedding(), gate, linear(X, Activation.RELU, null, UP),
                        multiply(GATE, UP, GATE)),
                // What the product yields may lie where x lies.
                plan(DType.F32, List.of(Y), embedding(), gate, up, multiply(GATE, UP, tokens(0, 2 * WIDTH)),
                        linear(tokens(0, 2 * WIDTH), Activation.NONE, null, Y)),
                plan(DType.F32, List.of(GATE), embedding(), gate, linear(Y, Activation.NONE, null, UP),
                        multiply(GATE, UP, GATE)));
        for (CudaPlan plan : plans) {
            plan.steps().forEach(step -> assertNull(step.up(), plan.toString()));
        }
    }

    @Test
    void shouldKeepAllAsF32WithWeightsOfF32() {
        CudaPlan plan = plan(DType.F32, List.of(X), embedding(), linear(X, Activation.NONE, null, Y),
                new Step.Add(X, Y, X));
        assertEquals(3, plan.steps().size());
        assertEquals(new CudaTypes.Types(DType.F32, DType.F32, null, null, DType.F32), plan.types().of(2));
        assertEquals(DType.F32, plan.types().ofOutput(0));
    }

    @Test
    void shouldKeepOutputsAsF32AndWhatLeadsToThemAsTheWeights() {
        Operand pooled = sequences(0, WIDTH);
        CudaPlan plan = plan(DType.BF16, List.of(pooled), embedding(), new Step.Pool(X, Pooling.MEAN, true, pooled));
        assertEquals(2, plan.steps().size());
        assertEquals(new CudaTypes.Types(DType.BF16, null, null, null, DType.F32), plan.types().of(1));
        assertEquals(64, plan.tokenElements());
    }

    /** A residual stream is one buffer from the embedding to the output, and products read it. */
    @Test
    void shouldWidenAnOutputThatProductsReadWhereItLies() {
        CudaPlan plan = plan(DType.F16, List.of(X), embedding(), linear(X, Activation.NONE, null, Y),
                new Step.Add(X, Y, X));
        assertEquals(4, plan.steps().size());
        Operand wide = new Operand(Rows.TOKENS, 64, WIDTH, 0, WIDTH, DType.F32);
        assertEquals(new Step.Activate(X, Activation.NONE, wide), plan.steps().get(3).step());
        assertEquals(List.of(wide), plan.outputs());
        assertEquals(80, plan.tokenElements());
        assertEquals(16, plan.sequenceElements());
        assertEquals(new CudaTypes.Types(DType.F16, DType.F16, null, null, DType.F16), plan.types().of(2));
        assertEquals(new CudaTypes.Types(DType.F16, null, null, null, DType.F32), plan.types().of(3));
        assertEquals(DType.F32, plan.types().ofOutput(0));
    }

    @Test
    void shouldKeepLogitsAsF32AndIndicesAsI32() {
        Operand indices = new Operand(Rows.TOKENS, 40, 2, 0, 2, DType.I32);
        Operand values = tokens(56, 2);
        CudaPlan plan = plan(DType.BF16, List.of(indices, values), embedding(), linear(X, Activation.NONE, null, GATE),
                new Step.LogSoftmax(GATE, GATE), new Step.TopK(GATE, indices), new Step.Gather(GATE, indices, values));
        assertEquals(new CudaTypes.Types(DType.BF16, null, null, null, DType.F32), plan.types().of(1));
        assertEquals(new CudaTypes.Types(DType.F32, DType.I32, null, null, DType.F32), plan.types().of(4));
        assertEquals(DType.I32, plan.types().ofOutput(0));
        assertEquals(DType.F32, plan.types().ofOutput(1));
        assertNotNull(plan.steps().get(4));
    }

    /** Whatever makes it: attention takes no bias of a half type. */
    @Test
    void shouldKeepTheBiasOfAnAttentionAsF32() {
        Operand bias = tokens(32, 8);
        CudaPlan plan = plan(DType.BF16, List.of(Y), embedding(), linear(X, Activation.NONE, null, bias),
                new Step.Attention(AttentionSpec.of(2, 4), X, X, X, null, bias, Y));
        assertEquals(new CudaTypes.Types(DType.BF16, null, null, null, DType.F32), plan.types().of(1));
        assertEquals(new CudaTypes.Types(DType.BF16, DType.BF16, DType.BF16, DType.F32, DType.F32),
                plan.types().of(2));
    }

    /** Memory that another buffer had before is of the type of the one that has it now. */
    @Test
    void shouldGiveABufferATypeForAsLongAsItLives() {
        CudaPlan plan = plan(DType.BF16, List.of(X), embedding(), linear(X, Activation.NONE, null, Y),
                new Step.RmsNorm(Y, Weight.of(Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(WIDTH))), 0, X));
        assertEquals(3, plan.steps().size());
        assertEquals(DType.BF16, plan.types().of(0).out());
        assertEquals(DType.F32, plan.types().of(2).out());
    }

    /** Two products fill one buffer, each some of its columns. */
    @Test
    void shouldKeepBiasesAsF32AndWhatSeveralStepsWriteAsOneType() {
        Operand parts = tokens(16, 4);
        Operand bias = tokens(32, 8);
        Operand left = new Operand(Rows.TOKENS, 16, 4, 0, 2, DType.F32);
        Operand right = new Operand(Rows.TOKENS, 16, 4, 2, 2, DType.F32);
        var buckets = DistanceBuckets.of(4, 2, _ -> 0);
        CudaPlan plan = plan(DType.BF16, List.of(Y), embedding(), linear(X, Activation.NONE, null, left),
                linear(X, Activation.NONE, null, right), new Step.RelativeBias(2, null, parts, null, buckets, bias),
                new Step.Attention(AttentionSpec.of(2, 4), X, X, X, null, bias, Y));
        assertEquals(DType.F32, plan.types().of(1).out());
        assertEquals(DType.F32, plan.types().of(2).out());
        assertEquals(new CudaTypes.Types(DType.F32, null, null, null, DType.F32), plan.types().of(3));
        assertEquals(new CudaTypes.Types(DType.BF16, DType.BF16, DType.BF16, DType.F32, DType.F32),
                plan.types().of(4));
    }
}
