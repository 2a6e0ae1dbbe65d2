package dev.fovea.internal.cpu;

import static dev.fovea.internal.ffi.FoveaH.FOVEA_ABI_VERSION;
import static dev.fovea.internal.ffi.FoveaH.FOVEA_ISA_AUTO;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.EngineProvider;
import dev.fovea.KernelException;
import dev.fovea.internal.ffi.FoveaH;
import dev.fovea.internal.ffi.fovea_engine_info;
import dev.fovea.internal.ffi.fovea_engine_options;
import dev.fovea.internal.ffi.fovea_is_finite_params;
import dev.fovea.internal.ffi.fovea_memory_options;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.internal.natives.NativeLibrary;
import dev.fovea.internal.natives.NativeLibraryException;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An engine of the C core. Its handle is an argument of every call, so that the arena that owns it
 * cannot close, and the engine not be destroyed, while a call runs.
 *
 * <p>Callers that run at the same time and fill more than half of the threads by themselves each compute alone, op by op:
 * a loop that is shared ends when its slowest thread does, and there is no thread to spare for it then.
 */
public final class NativeEngine extends HostDevice {
    private static final int DESCRIPTION_BYTES = 256;
    private static final long AFTER_CROWD_NANOS = 5_000_000;

    /** Names of the kernel tables, at their {@code FOVEA_ISA_*} codes. */
    private static final List<String> ISAS =
            List.of("baseline", "avx2", "avx512", "avx512vnni", "neon", "avx512bf16", "neondot", "neonbf16");

    private final MemorySegment handle;
    /** One of one thread, for callers that compute alone; the same one where there is no other thread. */
    private final MemorySegment alone;
    private final AtomicInteger runs = new AtomicInteger();
    /** When callers that filled the threads last became fewer; 0 if that was long ago. */
    private volatile long crowdEnd;
    private final NativeLibrary library;
    private final int threads;
    private final String isa;

    /**
     * An engine with these options.
     *
     * @throws NativeLibraryException if the library does not load here, or speaks another version of the ABI
     * @throws IllegalArgumentException if the ISA asked for does not run here
     */
    private NativeEngine(Owner owner, EngineOptions options) throws NativeLibraryException {
        super(owner, options);
        library = load();
        try (Arena call = Arena.ofConfined()) {
            int wanted = threadsOf(options);
            handle = create(owner, options, wanted, call);
            alone = wanted == 1 ? handle : create(owner, options, 1, call);
            MemorySegment info = fovea_engine_info.allocate(call);
            fovea_engine_info.struct_size(info, (int) fovea_engine_info.sizeof());
            Status.check("engine", Core.call(FoveaH.FOVEA_CALL_ENGINE_DESCRIBE(), handle, info));
            threads = fovea_engine_info.threads(info);
            isa = ISAS.get(fovea_engine_info.isa(info));
        }
    }

    private static MemorySegment create(Owner owner, EngineOptions options, int threads, Arena call) {
        MemorySegment out = call.allocate(ValueLayout.ADDRESS);
        int status = Core.call(FoveaH.FOVEA_CALL_ENGINE_CREATE(), optionsOf(options, threads, call), out);
        if (status == FoveaH.FOVEA_STATUS_UNSUPPORTED()) {
            throw unknownIsa(options.isa() != null ? options.isa() : System.getenv("FOVEA_ISA"), available());
        }
        if (status == FoveaH.FOVEA_STATUS_THREAD()) {
            throw new KernelException("engine", status, "the system refuses one of " + threads
                    + " threads; ask for fewer (1 starts none), or raise the limit of processes (ulimit -u) or memory");
        }
        Status.check("engine", status);
        return out.get(ValueLayout.ADDRESS, 0)
                .reinterpret(owner.arena(), engine -> Core.call(FoveaH.FOVEA_CALL_ENGINE_DESTROY(), engine));
    }

    /** Where the library loads. */
    public static final class Provider implements EngineProvider {
        /** For the registry. */
        public Provider() {}

        @Override
        public Engine create(EngineOptions options) {
            try {
                return Owner.create("engine", owner -> new NativeEngine(owner, options));
            } catch (NativeLibraryException e) {
                throw new UnsupportedOperationException("the native backend is not available: " + e.getMessage(), e);
            }
        }

        @Override
        public Optional<String> unavailable() {
            try {
                load();
                return Optional.empty();
            } catch (NativeLibraryException e) {
                return Optional.of(e.getMessage());
            }
        }
    }

    private static IllegalArgumentException unknownIsa(String isa, List<String> available) {
        return new IllegalArgumentException("isa " + isa + " does not run here; available: " + available);
    }

    /** The library, loaded and of our ABI. */
    static NativeLibrary load() throws NativeLibraryException {
        NativeLibrary library = NativeLibrary.load();
        if (library.symbols().find("fovea_call").isEmpty()) {
            throw new NativeLibraryException("expected ABI version " + FOVEA_ABI_VERSION() + ", got an older one"
                    + " from the library in " + library.directory());
        }
        FoveaH.lookUpIn(library.symbols());
        int version = Core.call(FoveaH.FOVEA_CALL_ABI_VERSION(), MemorySegment.NULL);
        if (version != FOVEA_ABI_VERSION()) {
            throw new NativeLibraryException("expected ABI version " + FOVEA_ABI_VERSION() + ", got " + version
                    + " from the library in " + library.directory());
        }
        return library;
    }

    private static MemorySegment optionsOf(EngineOptions options, int threads, Arena call) {
        MemorySegment struct = fovea_engine_options.allocate(call);
        fovea_engine_options.struct_size(struct, (int) fovea_engine_options.sizeof());
        fovea_engine_options.threads(struct, threads);
        fovea_engine_options.spin_micros(struct, options.spinMicros());
        fovea_engine_options.isa(struct, isaOf(options.isa()));
        return struct;
    }

    private static int threadsOf(EngineOptions options) {
        int threads = options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        return Math.min(threads, EngineOptions.MAX_THREADS);
    }

    private static int isaOf(String name) {
        if (name == null) {
            return FOVEA_ISA_AUTO();
        }
        int isa = ISAS.indexOf(name);
        if (isa < 0) {
            throw unknownIsa(name, available());
        }
        return isa;
    }

    private static List<String> available() {
        int mask = Core.call(FoveaH.FOVEA_CALL_ISA_AVAILABLE(), MemorySegment.NULL);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < ISAS.size(); i++) {
            if ((mask >> i & 1) != 0) {
                names.add(ISAS.get(i));
            }
        }
        return names;
    }

    /** Opens OpenBLAS, once per process, where there is one. Without it products are the core's own. */
    void loadBlas() {
        try (Arena call = Arena.ofConfined()) {
            Optional<Path> path = library.openBlas();
            if (path.isEmpty()) {
                return;
            }
            int status = Core.call(FoveaH.FOVEA_CALL_BLAS_LOAD(), call.allocateFrom(path.get().toString()));
            if (status == FoveaH.FOVEA_STATUS_UNSUPPORTED()) {
                throw new UnsupportedOperationException("OpenBLAS does not load from " + path.get()
                        + "; without it on the class path products are Fovea's own");
            }
            Status.check("matmul", status);
        } catch (NativeLibraryException e) {
            throw new UnsupportedOperationException("matmul: " + e.getMessage(), e);
        }
    }

    /** For an op of a run. */
    MemorySegment handle() {
        return fill(runs.getOpaque()) || isAfterCrowd() ? alone : handle;
    }

    private boolean fill(int callers) {
        return callers > 1 && 2 * callers > threads;
    }

    /**
     * Whether callers filled the threads a moment ago. One of them that is between two runs comes back, and would find its
     * processor taken by a worker.
     */
    private boolean isAfterCrowd() {
        long end = crowdEnd;
        if (end == 0) {
            return false;
        }
        if (System.nanoTime() - end < AFTER_CROWD_NANOS) {
            return true;
        }
        crowdEnd = 0;
        return false;
    }

    /** What all threads share, whatever runs. */
    MemorySegment shared() {
        return handle;
    }

    @Override
    protected void runBegins() {
        runs.getAndIncrement();
    }

    @Override
    protected void runEnded() {
        if (fill(runs.getAndDecrement())) {
            crowdEnd = System.nanoTime() | 1; // not 0
        }
    }

    @Override
    public Backend backend() {
        return Backend.NATIVE;
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public String isa() {
        return isa;
    }

    @Override
    public List<String> availableIsas() {
        return available();
    }

    @Override
    public String blas() {
        try (Arena call = Arena.ofConfined()) {
            loadBlas();
            MemorySegment text = call.allocate(DESCRIPTION_BYTES);
            Status.check("blas", FoveaH.fovea_blas_describe(DESCRIPTION_BYTES, text));
            String description = text.getString(0);
            return description.isEmpty() ? "none" : description;
        } catch (RuntimeException e) {
            return "unavailable: " + e.getMessage();
        }
    }

    @Override
    public MemorySegment allocate(Arena arena, long bytes) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment options = fovea_memory_options.allocate(call);
            fovea_memory_options.struct_size(options, (int) fovea_memory_options.sizeof());
            fovea_memory_options.bytes(options, bytes);
            MemorySegment address = call.allocate(ValueLayout.ADDRESS);
            int status = Core.call(FoveaH.FOVEA_CALL_MEMORY_CREATE(), options, address);
            if (status == FoveaH.FOVEA_STATUS_OUT_OF_MEMORY() || status == FoveaH.FOVEA_STATUS_OVERFLOW()) {
                throw new OutOfMemoryError("the system has no " + bytes + " bytes of memory; raise the limit of this process"
                        + " (ulimit -v) or of its container");
            }
            Status.check("memory", status);
            return address.get(ValueLayout.ADDRESS, 0)
                    .reinterpret(bytes, arena, memory -> Core.call(FoveaH.FOVEA_CALL_MEMORY_DESTROY(), memory));
        }
    }

    @Override
    public boolean isFinite(Weight weight) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment params = fovea_is_finite_params.allocate(call);
            fovea_is_finite_params.struct_size(params, (int) fovea_is_finite_params.sizeof());
            fovea_is_finite_params.layout(params, weight.layout().code());
            fovea_is_finite_params.values(params, weight.shape().elements());
            MemorySegment finite = call.allocate(ValueLayout.JAVA_INT);
            Status.check("is_finite", Core.call(FoveaH.FOVEA_CALL_IS_FINITE(), handle, params, weight.segment(), finite));
            return finite.get(ValueLayout.JAVA_INT, 0) != 0;
        }
    }

    @Override
    public Kernels kernels(Arena arena) {
        return new NativeKernels(this, Objects.requireNonNull(arena, "arena"));
    }
}
