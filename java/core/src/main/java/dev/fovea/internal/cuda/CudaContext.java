package dev.fovea.internal.cuda;

import dev.fovea.EngineOptions;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.cuda.ffi.fovea_cuda_device_info;
import dev.fovea.internal.cuda.ffi.fovea_cuda_device_options;
import dev.fovea.internal.ffi.FoveaH;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.internal.natives.NativeLibrary;
import dev.fovea.internal.natives.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An open GPU of the library. All that is made on it holds it open, so that whatever is closed in whatever order, the
 * GPU's context goes last.
 */
final class CudaContext implements AutoCloseable {
    /** Names the driver's library where it is not the system's {@code libcuda.so.1}. */
    static final String DRIVER_PROPERTY = "fovea.cuda.driver";

    /**
     * A GPU in numbers.
     *
     * @param driver 1000 · major + 10 · minor of the CUDA version that the driver speaks
     * @param capability 10 · major + minor
     */
    record Info(String name, int driver, int capability, long bytesTotal, long bytesFree) {
        /** Such as {@code NVIDIA H100 80GB HBM3, 79.6 GiB of memory (78.9 GiB free), driver of CUDA 13.0}. */
        @Override
        public String toString() {
            return name + ", " + gibibytes(bytesTotal) + " GiB of memory (" + gibibytes(bytesFree)
                    + " GiB free), driver of CUDA " + driver / 1000 + "." + driver % 1000 / 10;
        }

        private static double gibibytes(long bytes) {
            return Math.round(bytes / (double) (1 << 30) * 10) / 10.0;
        }
    }

    private final MemorySegment handle;
    private final Lifetime lifetime = new Lifetime("GPU", this::free);

    private CudaContext(MemorySegment handle) {
        this.handle = handle;
    }

    /**
     * Loads the library and opens a GPU.
     *
     * @throws NativeLibraryException with the reason, in one line, if that fails
     */
    static CudaContext open(EngineOptions options) throws NativeLibraryException {
        NativeLibrary library = NativeLibrary.loadCuda();
        FoveaCudaH.lookUpIn(library.symbols());
        int version = FoveaCudaH.fovea_cuda_abi_version();
        if (version != FoveaCudaH.FOVEA_CUDA_ABI_VERSION()) {
            throw new NativeLibraryException("expected version " + FoveaCudaH.FOVEA_CUDA_ABI_VERSION()
                    + " of the CUDA library's ABI, got " + version + " from the library in " + library.directory());
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment struct = fovea_cuda_device_options.allocate(call);
            fovea_cuda_device_options.struct_size(struct, (int) fovea_cuda_device_options.sizeof());
            fovea_cuda_device_options.device(struct, options.device());
            fovea_cuda_device_options.memory_bytes(struct, options.deviceMemory());
            String driver = System.getProperty(DRIVER_PROPERTY);
            var failure = new CudaFailure(call);
            MemorySegment device = call.allocate(ValueLayout.ADDRESS);
            int status = FoveaCudaH.fovea_cuda_device_open(struct,
                    driver == null ? MemorySegment.NULL : call.allocateFrom(driver), failure.struct(), device);
            if (status != FoveaH.FOVEA_STATUS_OK()) {
                throw new NativeLibraryException(failure.reason(status));
            }
            return new CudaContext(device.get(ValueLayout.ADDRESS, 0));
        }
    }

    /** The library's device. Only for those who hold it open. */
    MemorySegment handle() {
        return handle;
    }

    /** Holds it open until {@link #exit}. */
    void enter() {
        lifetime.enter();
    }

    void exit() {
        lifetime.exit();
    }

    /** What it is, and what is free now. */
    Info describe() {
        try (Arena call = Arena.ofConfined()) {
            var failure = new CudaFailure(call);
            MemorySegment info = fovea_cuda_device_info.allocate(call);
            fovea_cuda_device_info.struct_size(info, (int) fovea_cuda_device_info.sizeof());
            failure.check("device", FoveaCudaH.fovea_cuda_device_describe(handle, failure.struct(), info));
            return new Info(fovea_cuda_device_info.name(info).getString(0),
                    fovea_cuda_device_info.driver_version(info), fovea_cuda_device_info.compute_capability(info),
                    fovea_cuda_device_info.bytes_total(info), fovea_cuda_device_info.bytes_free(info));
        }
    }

    /** Closes the GPU when all that was made on it is closed. Idempotent; never waits. */
    @Override
    public void close() {
        lifetime.close();
    }

    private void free() {
        FoveaCudaH.fovea_cuda_device_close(handle);
    }
}
