package dev.fovea.internal.host;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns steps into calls: finds their tensors in one workspace and checks how these lie, once, so that a run only calls
 * kernels. Where a step can never fit, {@link OpContract} says so here.
 *
 * @param scratch I8, enough for every attention
 */
record HostBinding(HostExecution execution, HostConstants constants, Kernels kernels, Tensor scratch,
        boolean explaining) {
    /** The call that computes {@code step}. */
    Call bind(Step step) {
        return switch (step) {
            case Step.Embedding embedding -> embedding(embedding);
            case Step.TokenTypes types -> tokenTypes(types);
            case Step.RelativeBias bias -> relativeBias(bias);
            case Step.LayerNorm norm -> layerNorm(norm);
            case Step.RmsNorm norm -> rmsNorm(norm);
            case Step.Linear linear -> linear(linear);
            case Step.Add add -> add(add);
            case Step.Multiply multiply -> multiply(multiply);
            case Step.Activate activate -> activate(activate);
            case Step.Normalize normalize -> normalize(normalize);
            case Step.MatMul matmul -> matmul(matmul);
            case Step.Append append -> append(append);
            case Step.Attention attention -> attention(attention);
            case Step.Pool pool -> pool(pool);
            case Step.LogSoftmax softmax -> logSoftmax(softmax);
            case Step.TopK topK -> topK(topK);
            case Step.Gather gather -> gather(gather);
        };
    }

    private Call embedding(Step.Embedding step) {
        Weight words = constants.embedding(step.words());
        Tensor positions = constants.tensor(step.positions());
        Tensor type = constants.tensor(step.type());
        CacheStore cache = execution.positions();
        Tensor starts = cache == null ? null : cache.lengths();
        Tensor out = execution.tensor(step.out());
        OpContract.embedding(execution.maxTokens(), words, step.scale(), positions, type, out);
        return batch -> kernels.embedding(batch.sequences(), batch.ids(), batch.offsets(), starts, words, step.scale(),
                positions, step.firstPosition(), type, out);
    }

    private Call tokenTypes(Step.TokenTypes step) {
        Weight table = constants.embedding(step.table());
        Tensor out = execution.tensor(step.out());
        OpContract.embedding(execution.maxTokens(), table, 1, null, null, out);
        return batch -> kernels.embedding(batch.sequences(), batch.types(), batch.offsets(), null, table, 1, null, 0,
                null, out);
    }

    private Call relativeBias(Step.RelativeBias step) {
        if (step.cache() != null) {
            return cachedBias(step);
        }
        Tensor byQuery = step.table() != null ? constants.tensor(step.table()) : execution.tensor(step.byQuery());
        Tensor byKey = step.byKey() == null ? null : execution.tensor(step.byKey());
        Tensor out = execution.tensor(step.out());
        OpContract.relativeBias(execution.maxTokens(), step.heads(), byQuery, byKey, step.buckets(), out);
        return batch -> kernels.relativeBias(batch.sequences(), step.heads(), byQuery, byKey, step.buckets(),
                batch.offsets(), out);
    }

    /** A query's row is a part of what its head adds at all distances, whose place is that of the query. */
    private Call cachedBias(Step.RelativeBias step) {
        int keys = step.buckets().keys();
        int distances = 2 * keys - 1;
        Tensor table = constants.tensor(step.table());
        Tensor out = execution.tensor(step.out());
        OpContract.relativeBias(execution.maxTokens(), step.heads(), table, null, step.buckets(), out);
        MemorySegment added = execution.allocate((long) step.heads() * distances * Float.BYTES);
        for (int head = 0; head < step.heads(); head++) {
            for (int d = 0; d < distances; d++) {
                int bucket = step.buckets().ofDistance().segment().getAtIndex(ValueLayout.JAVA_INT, d);
                added.setAtIndex(ValueLayout.JAVA_FLOAT, (long) head * distances + d,
                        table.getFloat(0, (long) head * step.buckets().buckets() + bucket));
            }
        }
        Tensor starts = execution.cache(step.cache()).lengths();
        return batch -> {
            for (int s = 0; s < batch.sequences(); s++) {
                int first = batch.offsets().segment().getAtIndex(ValueLayout.JAVA_INT, s);
                int start = starts.segment().getAtIndex(ValueLayout.JAVA_INT, s);
                int end = start + batch.length(s);
                for (int i = start; i < end; i++) {
                    long row = (first + i - start) * out.stride(0);
                    for (int head = 0; head < step.heads(); head++) {
                        long from = (long) head * distances + keys - 1 - i;
                        MemorySegment.copy(added, from * Float.BYTES, out.segment(), (row + (long) head * keys) * Float.BYTES,
                                (long) end * Float.BYTES);
                    }
                }
            }
        };
    }

    private Call layerNorm(Step.LayerNorm step) {
        Tensor x = execution.tensor(step.x());
        Tensor gamma = constants.tensor(step.gamma());
        Tensor beta = constants.beta(step);
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.layerNorm(capacity(rows), x, gamma, beta, step.epsilon(), out);
        return batch -> kernels.layerNorm(batch.rows(rows), x, gamma, beta,
                step.epsilon(), out);
    }

    private Call rmsNorm(Step.RmsNorm step) {
        Tensor x = execution.tensor(step.x());
        Tensor gamma = constants.tensor(step.gamma());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.rmsNorm(capacity(rows), x, gamma, step.epsilon(), out);
        return batch ->
                kernels.rmsNorm(batch.rows(rows), x, gamma, step.epsilon(), out);
    }

    private Call linear(Step.Linear step) {
        Tensor x = execution.tensor(step.x());
        PackedLinear weight = constants.weight(step);
        Tensor bias = constants.bias(step);
        Tensor residual = step.residual() == null ? null : execution.tensor(step.residual());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.linear(capacity(rows), x, weight, bias, step.activation(), residual, out, kernels.packing());
        return batch -> kernels.linear(batch.rows(rows), x, weight, bias,
                step.activation(), residual, out);
    }

    private Call add(Step.Add step) {
        Tensor a = execution.tensor(step.a());
        Tensor b = execution.tensor(step.b());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.a().rows();
        OpContract.elementwise(capacity(rows), a, b, out);
        return batch -> kernels.add(batch.rows(rows), a, b, out);
    }

    private Call multiply(Step.Multiply step) {
        Tensor a = execution.tensor(step.a());
        Tensor b = execution.tensor(step.b());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.a().rows();
        OpContract.elementwise(capacity(rows), a, b, out);
        return batch ->
                kernels.multiply(batch.rows(rows), a, step.activation(), b, out);
    }

    private Call activate(Step.Activate step) {
        Tensor x = execution.tensor(step.x());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.elementwise(capacity(rows), x, null, out);
        return batch -> kernels.activate(batch.rows(rows), x, step.activation(), out);
    }

    private Call normalize(Step.Normalize step) {
        Tensor x = execution.tensor(step.x());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.elementwise(capacity(rows), x, null, out);
        return batch -> kernels.normalize(batch.rows(rows), x, out);
    }

    private Call logSoftmax(Step.LogSoftmax step) {
        Tensor x = execution.tensor(step.x());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.elementwise(capacity(rows), x, null, out);
        return batch -> kernels.logSoftmax(batch.rows(rows), x, out);
    }

    private Call topK(Step.TopK step) {
        Tensor x = execution.tensor(step.x());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.topK(capacity(rows), x, out);
        return batch -> kernels.topK(batch.rows(rows), x, out);
    }

    private Call gather(Step.Gather step) {
        Tensor x = execution.tensor(step.x());
        Tensor indices = execution.tensor(step.indices());
        Tensor out = execution.tensor(step.out());
        Rows rows = step.x().rows();
        OpContract.gather(capacity(rows), x, indices, out);
        return batch -> kernels.gather(batch.rows(rows), x, indices, out);
    }

    private Call matmul(Step.MatMul step) {
        Tensor a = execution.tensor(step.a());
        Tensor b = execution.tensor(step.b());
        Tensor out = execution.tensor(step.out());
        OpContract.raggedMatmul(execution.maxSequences(), execution.maxTokens(), a, b, step.transposeA(), out);
        return batch -> kernels.raggedMatmul(batch.sequences(), batch.offsets(), a, b, step.transposeA(), out);
    }

    private Call pool(Step.Pool step) {
        Tensor x = execution.tensor(step.x());
        Tensor out = execution.tensor(step.out());
        OpContract.pool(execution.maxSequences(), execution.maxTokens(), x, step.mode(), out);
        return batch ->
                kernels.pool(batch.spans(), x, batch.spanOffsets(), step.mode(), step.normalize(), out);
    }

    private Call append(Step.Append step) {
        CacheStore cache = execution.cache(step.cache());
        AttentionSpec spec = cache.layers().get(step.cache().layer());
        Tensor k = heads(step.k(), spec.kvHeads());
        Tensor v = heads(step.v(), spec.kvHeads());
        Tensor keys = keys(cache, step.cache().layer());
        Tensor values = values(cache, step.cache().layer());
        Rope rope = spec.rope();
        CacheContract.layout(execution.maxTokens(), rope, k, v, cache.pageTable(), keys, values);
        return batch -> kernels.cacheAppend(batch.sequences(), rope, k, v, batch.offsets(), cache.lengths(),
                cache.pageTable(), keys, values);
    }

    private Call attention(Step.Attention step) {
        AttentionSpec spec = step.spec();
        Tensor q = heads(step.q(), spec.heads());
        Tensor out = heads(step.out(), spec.heads());
        Tensor pattern = explaining ? execution.allocatePattern(step) : null;
        if (step.cache() == null) {
            var operands = new AttentionOperands(q, heads(step.k(), spec.kvHeads()), heads(step.v(), spec.kvHeads()),
                    null, step.bias() == null ? null : heads(step.bias(), spec.heads()), out, null, pattern);
            AttentionContract.layout(execution.maxTokens(), spec, operands, null, scratch);
            return batch -> kernels.attention(batch.sequences(), spec, operands, batch.offsets(), batch.offsets(),
                    null, scratch);
        }
        CacheStore cache = execution.cache(step.cache());
        var operands = new AttentionOperands(q, keys(cache, step.cache().layer()), values(cache, step.cache().layer()),
                null, step.bias() == null ? null : heads(step.bias(), spec.heads()), out, null, pattern);
        AttentionContract.layout(execution.maxTokens(), spec, operands, cache.pageTable(), scratch);
        return batch -> kernels.attention(batch.sequences(), spec, operands, batch.offsets(), cache.ends(),
                cache.pageTable(), scratch);
    }

    private int capacity(Rows rows) {
        return rows.count(execution.maxTokens(), execution.maxSequences());
    }

    /** [rows, heads · dim] as [rows, heads, dim]. */
    private Tensor heads(Operand operand, int heads) {
        Tensor matrix = execution.tensor(operand);
        long dim = matrix.size(1) / heads;
        return Tensor.of(matrix.segment(), DType.F32, Shape.of(matrix.size(0), heads, dim), matrix.stride(0), dim, 1);
    }

    private Tensor keys(CacheStore cache, int layer) {
        return pages(cache, cache.keys(layer), cache.keyStart(layer), layer, cache.layers().get(layer).headDim());
    }

    private Tensor values(CacheStore cache, int layer) {
        return pages(cache, cache.values(layer), cache.valueStart(layer), layer, cache.layers().get(layer).valueDim());
    }

    private Tensor pages(CacheStore cache, DeviceMemory memory, long start, int layer, int dim) {
        return CachePages.of(execution.device().segment(memory).asSlice(start), cache.type(), cache.pageCount(),
                cache.layers().get(layer).kvHeads(), dim);
    }
}
