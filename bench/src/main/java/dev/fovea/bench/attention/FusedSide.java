package dev.fovea.bench.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/** Fovea's attention by its public API. */
final class FusedSide implements AttentionSide {
    private final Arena arena = Arena.ofShared();
    private final Engine engine;
    private final Attention attention;
    private final AttentionTensors tensors;

    /** @param dtype of queries, keys and values, to which the inputs are rounded already */
    FusedSide(AttentionWork work, AttentionInputs inputs, Backend backend, DType dtype) {
        engine = Engine.create(EngineOptions.defaults().withBackend(backend).withThreads(work.threads()));
        attention = Attention.create(engine, AttentionSpec.of(work.heads(), work.headDim())
                .withMask(work.causal() ? Mask.causal() : Mask.none()));
        Shape shape = Shape.of(work.heads(), work.tokens(), work.headDim());
        Tensor query = AttentionInputs.tensor(arena, inputs.query(), dtype, shape);
        Tensor key = AttentionInputs.tensor(arena, inputs.key(), dtype, shape);
        Tensor value = AttentionInputs.tensor(arena, inputs.value(), dtype, shape);
        Tensor out = Tensor.allocate(arena, DType.F32, shape);
        tensors = AttentionTensors.of(
                query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), out.transpose(0, 1));
    }

    @Override
    public void attend() {
        attention.run(tensors);
    }

    @Override
    public float[] result() {
        return tensors.out().segment().toArray(JAVA_FLOAT);
    }

    @Override
    public long scratchBytes() {
        return attention.scratchBytes();
    }

    @Override
    public String setting() {
        String where = engine.backend() == Backend.CUDA ? engine.device() + ", copies included, " : "";
        return where + "kernel table " + engine.isa() + ", tensors [heads, tokens, head_dim] seen as [tokens, heads, head_dim]";
    }

    @Override
    public void close() {
        attention.close();
        arena.close();
        engine.close();
    }
}
