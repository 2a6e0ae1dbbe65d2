package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.lifetime.Lifetime;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/** Memory of a GPU: an address that only the GPU can follow. It holds the GPU open until it is freed. */
final class CudaMemory implements DeviceMemory {
    /** What is on the heap is copied so many bytes at a time. */
    private static final int STAGING_BYTES = 1 << 20;

    private final CudaContext context;
    private final long address;
    private final long bytes;
    private final Lifetime lifetime = new Lifetime("device memory", this::free);

    private CudaMemory(CudaContext context, long address, long bytes) {
        this.context = context;
        this.address = address;
        this.bytes = bytes;
    }

    /** Zeroed memory; {@code operation} is what a failure is told of. */
    static CudaMemory allocate(CudaContext context, String operation, long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes must be at least 0, got " + bytes);
        }
        context.enter();
        boolean done = false;
        try (Arena call = Arena.ofConfined()) {
            var failure = new CudaFailure(call);
            MemorySegment out = call.allocate(ValueLayout.JAVA_LONG);
            failure.check(operation,
                    FoveaCudaH.fovea_cuda_memory_create(context.handle(), bytes, failure.struct(), out));
            done = true;
            return new CudaMemory(context, out.get(ValueLayout.JAVA_LONG, 0), bytes);
        } finally {
            if (!done) {
                context.exit();
            }
        }
    }

    /** Copies all of {@code source} to byte {@code offset}. */
    void write(long offset, MemorySegment source) {
        Objects.checkFromIndexSize(offset, source.byteSize(), bytes);
        lifetime.enter();
        try (Arena call = Arena.ofConfined()) {
            var failure = new CudaFailure(call);
            staged(call, source, (piece, at) -> {
                piece.copyFrom(source.asSlice(at, piece.byteSize()));
                upload(offset + at, piece, failure);
            }, (piece, at) -> upload(offset + at, piece, failure));
        } finally {
            lifetime.exit();
        }
    }

    /** Fills {@code target} from byte {@code offset} on. */
    void read(long offset, MemorySegment target) {
        Objects.checkFromIndexSize(offset, target.byteSize(), bytes);
        lifetime.enter();
        try (Arena call = Arena.ofConfined()) {
            var failure = new CudaFailure(call);
            staged(call, target, (piece, at) -> {
                download(offset + at, piece, failure);
                target.asSlice(at, piece.byteSize()).copyFrom(piece);
            }, (piece, at) -> download(offset + at, piece, failure));
        } finally {
            lifetime.exit();
        }
    }

    /** Copies from another place of the same GPU. Allocates nothing on the heap. */
    void copyFrom(CudaMemory source, long sourceOffset, long offset, long count) {
        Objects.checkFromIndexSize(sourceOffset, count, source.bytes);
        Objects.checkFromIndexSize(offset, count, bytes);
        lifetime.enter();
        try {
            source.lifetime.enter();
            try {
                CudaFailure.checkUntold("copy", FoveaCudaH.fovea_cuda_copy(context.handle(), address + offset,
                        source.address + sourceOffset, count, MemorySegment.NULL));
            } finally {
                source.lifetime.exit();
            }
        } finally {
            lifetime.exit();
        }
    }

    private interface Copy {
        void copy(MemorySegment piece, long at);
    }

    /** All of memory at once or, where it is on the heap, in pieces that are not. */
    private static void staged(Arena call, MemorySegment memory, Copy viaPiece, Copy whole) {
        if (memory.isNative()) {
            whole.copy(memory, 0);
            return;
        }
        MemorySegment staging = call.allocate(Math.clamp(memory.byteSize(), 1, STAGING_BYTES));
        for (long at = 0; at < memory.byteSize(); at += staging.byteSize()) {
            viaPiece.copy(staging.asSlice(0, Math.min(staging.byteSize(), memory.byteSize() - at)), at);
        }
    }

    private void upload(long offset, MemorySegment source, CudaFailure failure) {
        failure.check("upload", FoveaCudaH.fovea_cuda_upload(context.handle(), address + offset, source,
                source.byteSize(), failure.struct()));
    }

    private void download(long offset, MemorySegment target, CudaFailure failure) {
        failure.check("download", FoveaCudaH.fovea_cuda_download(context.handle(), address + offset,
                target.byteSize(), failure.struct(), target));
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        lifetime.close();
    }

    private void free() {
        FoveaCudaH.fovea_cuda_memory_destroy(context.handle(), address);
        context.exit();
    }
}
