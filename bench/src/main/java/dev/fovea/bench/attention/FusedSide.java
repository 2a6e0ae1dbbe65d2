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
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/** Fovea's attention by its public API. */
final class FusedSide implements AttentionSide {
    private final Arena arena = Arena.ofShared();
    private final Engine engine;
    private final Attention attention;
    private final AttentionTensors tensors;

    FusedSide(AttentionWork work, AttentionInputs inputs) {
        engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(work.threads()));
        attention = Attention.create(engine, AttentionSpec.of(work.heads(), work.headDim())
                .withMask(work.causal() ? Mask.causal() : Mask.none()));
        Tensor query = Tensor.copyOf(arena, inputs.query(), work.heads(), work.tokens(), work.headDim());
        Tensor key = Tensor.copyOf(arena, inputs.key(), work.heads(), work.tokens(), work.headDim());
        Tensor value = Tensor.copyOf(arena, inputs.value(), work.heads(), work.tokens(), work.headDim());
        Tensor out = Tensor.allocate(arena, DType.F32, query.shape());
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
        return "kernel table " + engine.isa() + ", tensors [heads, tokens, head_dim] seen as [tokens, heads, head_dim]";
    }

    @Override
    public void close() {
        attention.close();
        arena.close();
        engine.close();
    }
}
