package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.Batch;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.cpu.Codes;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.cuda.ffi.fovea_cuda_cache_group;
import dev.fovea.internal.cuda.ffi.fovea_cuda_cache_layer;
import dev.fovea.internal.cuda.ffi.fovea_cuda_execution_options;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A program with memory and a stream of its own on the GPU. A run is one downcall, which returns when the GPU has finished
 * and the outputs are in pinned memory of the host. Batch, tables of caches and this itself are arguments of the caller's,
 * who holds them open meanwhile, and so all that the GPU reads.
 */
final class CudaExecution implements Execution {
    private final CudaEngine engine;
    private final Owner owner;
    private final boolean readsIds;
    private final MemorySegment handle;
    private final CudaFailure failure;
    private final List<Tensor> outputs = new ArrayList<>();
    private final List<Tensor> patterns = new ArrayList<>();
    private final long bytes;

    CudaExecution(CudaProgram program, Owner owner, int maxTokens, int maxSequences, List<CacheStore> caches,
            boolean explaining) {
        this.engine = program.engine();
        this.owner = owner;
        this.readsIds = program.plan().limits().vocabulary() >= 0;
        long workspace = Math.addExact(program.plan().regionBytes(Rows.TOKENS, maxTokens, maxSequences),
                program.plan().regionBytes(Rows.SEQUENCES, maxTokens, maxSequences));
        this.failure = new CudaFailure(owner.arena());
        program.enter();
        owner.own(program::exit);
        this.handle = create(program, maxTokens, maxSequences, caches, explaining);
        owner.own(() -> FoveaCudaH.fovea_cuda_execution_destroy(handle));
        // Closed first: who reads an output after that gets an exception.
        Arena arena = owner.own(Arena.ofShared());
        for (int i = 0; i < program.device().outputs().size(); i++) {
            outputs.add(output(i, program.device().outputs().get(i), maxTokens, maxSequences, arena));
        }
        if (explaining) {
            addPatterns(program, maxTokens, caches, arena);
        }
        // Outputs and patterns are on the GPU, and in pinned memory of the host.
        this.bytes = workspace + bytes(outputs) + 2 * bytes(patterns);
    }

    private static long bytes(List<Tensor> tensors) {
        return tensors.stream().mapToLong(tensor -> tensor.segment().byteSize()).sum();
    }

    private MemorySegment create(CudaProgram program, int maxTokens, int maxSequences, List<CacheStore> caches,
            boolean explaining) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment options = fovea_cuda_execution_options.allocate(call);
            fovea_cuda_execution_options.struct_size(options, (int) fovea_cuda_execution_options.sizeof());
            fovea_cuda_execution_options.max_tokens(options, maxTokens);
            fovea_cuda_execution_options.max_sequences(options, maxSequences);
            fovea_cuda_execution_options.explain(options, explaining ? 1 : 0);
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            failure.check("session", FoveaCudaH.fovea_cuda_execution_create(program.handle(), options,
                    groups(caches, program.device().groups(), call), failure.struct(), out));
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    /** The caches as the library sees them. Their tables are memory of the host, which every run reads anew. */
    private static MemorySegment groups(List<CacheStore> caches, int count, Arena call) {
        if (count == 0) {
            return MemorySegment.NULL;
        }
        MemorySegment array = fovea_cuda_cache_group.allocateArray(count, call);
        for (int i = 0; i < count; i++) {
            CacheStore cache = caches.get(i);
            MemorySegment group = fovea_cuda_cache_group.asSlice(array, i);
            fovea_cuda_cache_group.struct_size(group, (int) fovea_cuda_cache_group.sizeof());
            fovea_cuda_cache_group.dtype(group, cache.type().code());
            fovea_cuda_cache_group.sequences(group, cache.sequences());
            fovea_cuda_cache_group.pages_each(group, (int) cache.pageTable().size(1));
            fovea_cuda_cache_group.pages(group, cache.pageCount());
            int layers = cache.layers().size();
            fovea_cuda_cache_group.layers(group, layers);
            MemorySegment addresses = fovea_cuda_cache_layer.allocateArray(layers, call);
            for (int layer = 0; layer < layers; layer++) {
                MemorySegment pages = fovea_cuda_cache_layer.asSlice(addresses, layer);
                fovea_cuda_cache_layer.keys(pages, cache.keys(layer).address());
                fovea_cuda_cache_layer.values(pages, cache.values(layer).address());
            }
            fovea_cuda_cache_group.layer(group, addresses);
            fovea_cuda_cache_group.page_table(group, cache.pageTable().segment());
            fovea_cuda_cache_group.lengths(group, cache.lengths().segment());
            fovea_cuda_cache_group.ends(group, cache.ends().segment());
        }
        return array;
    }

    private Tensor output(int index, Operand operand, int maxTokens, int maxSequences, Arena arena) {
        Shape shape = Shape.of(operand.rows().count(maxTokens, maxSequences), operand.columns());
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            failure.check("output", FoveaCudaH.fovea_cuda_execution_output(handle, index, out));
            long bytes = shape.elements() * operand.dtype().bytes();
            return Tensor.of(out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes, arena, null), operand.dtype(), shape);
        }
    }

    private void addPatterns(CudaProgram program, int maxTokens, List<CacheStore> caches, Arena arena) {
        for (CudaStep step : program.device().steps()) {
            if (step.step() instanceof Step.Attention attention) {
                CacheStore cache = attention.cache() == null ? null : caches.get(attention.cache().group());
                int keys = cache == null ? maxTokens : cache.capacity();
                long row = cache == null ? maxTokens : cache.pageTable().size(1) * PageTable.PAGE_KEYS;
                patterns.add(pattern(patterns.size(), attention.spec().heads(), maxTokens, keys, row, arena));
            }
        }
    }

    /** [heads, queries, keys], with rows of {@code row} elements, of which there may be more than keys. */
    private Tensor pattern(int index, int heads, int queries, int keys, long row, Arena arena) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            failure.check("pattern", FoveaCudaH.fovea_cuda_execution_pattern(handle, index, out));
            MemorySegment memory =
                    out.get(ValueLayout.ADDRESS, 0).reinterpret(heads * queries * row * Float.BYTES, arena, null);
            return Tensor.of(memory, DType.F32, Shape.of(heads, queries, keys), queries * row, row, 1);
        }
    }

    @Override
    public void run(Batch batch) {
        engine.enter();
        try {
            failure.check("run", FoveaCudaH.fovea_cuda_run(handle, batch.sequences(),
                    readsIds ? batch.ids().segment() : MemorySegment.NULL,
                    batch.types() == null ? MemorySegment.NULL : batch.types().segment(), batch.offsets().segment(),
                    failure.struct()));
        } finally {
            engine.exit();
        }
    }

    @Override
    public Tensor output(int index) {
        return outputs.get(index);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public List<Tensor> patterns() {
        return List.copyOf(patterns);
    }

    @Override
    public void close() {
        owner.close();
    }
}
