package dev.fovea.bench.decode;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;

/** llama.cpp as a library, of the one version that {@link LlamaCppPackage} brings: its structs are known by their bytes. */
final class LlamaCpp {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout MODEL_PARAMS = struct(80);
    private static final MemoryLayout CONTEXT_PARAMS = struct(160);
    private static final MemoryLayout BATCH = struct(56);

    final MethodHandle modelDefaults = function("llama_model_default_params", FunctionDescriptor.of(MODEL_PARAMS));
    final MethodHandle contextDefaults = function("llama_context_default_params", FunctionDescriptor.of(CONTEXT_PARAMS));
    final MethodHandle loadModel = function("llama_model_load_from_file", FunctionDescriptor.of(ADDRESS, ADDRESS, MODEL_PARAMS));
    final MethodHandle init = function("llama_init_from_model", FunctionDescriptor.of(ADDRESS, ADDRESS, CONTEXT_PARAMS));
    final MethodHandle decode = function("llama_decode", FunctionDescriptor.of(JAVA_INT, ADDRESS, BATCH));
    final MethodHandle logits = function("llama_get_logits_ith", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    final MethodHandle memory = function("llama_get_memory", FunctionDescriptor.of(ADDRESS, ADDRESS));
    final MethodHandle clear = function("llama_memory_clear", FunctionDescriptor.ofVoid(ADDRESS, JAVA_BOOLEAN));
    final MethodHandle synchronize = function("llama_synchronize", FunctionDescriptor.ofVoid(ADDRESS));
    final MethodHandle sequences = function("llama_n_seq_max", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    final MethodHandle freeContext = function("llama_free", FunctionDescriptor.ofVoid(ADDRESS));
    final MethodHandle freeModel = function("llama_model_free", FunctionDescriptor.ofVoid(ADDRESS));

    private LlamaCpp() {}

    /** Loads the libraries in a directory and the one for this CPU. */
    static LlamaCpp load(Path directory) {
        for (String library : LlamaCppPackage.LIBRARIES) {
            System.load(directory.resolve(library).toString());
        }
        MemorySegment silence = LINKER.upcallStub(silence(), FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS),
                Arena.global());
        call(() -> {
            function("llama_log_set", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS)).invoke(silence, MemorySegment.NULL);
            function("ggml_backend_load_all_from_path", FunctionDescriptor.ofVoid(ADDRESS))
                    .invoke(Arena.global().allocateFrom(directory.toString()));
            return null;
        });
        return new LlamaCpp();
    }

    private static MemoryLayout struct(int bytes) {
        return MemoryLayout.structLayout(MemoryLayout.sequenceLayout(bytes / Long.BYTES, JAVA_LONG));
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(SymbolLookup.loaderLookup().findOrThrow(name), descriptor);
    }

    private static MethodHandle silence() {
        try {
            return MethodHandles.lookup().findStatic(LlamaCpp.class, "silent",
                    MethodType.methodType(void.class, int.class, MemorySegment.class, MemorySegment.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void silent(int level, MemorySegment text, MemorySegment data) {
        // What it logs would stand among the results.
    }

    /** A call of C. */
    interface Call<T> {
        T run() throws Throwable;
    }

    static <T> T call(Call<T> call) {
        try {
            return call.run();
        } catch (Throwable e) {
            throw new IllegalStateException("a call of llama.cpp failed", e);
        }
    }

    /** A batch of the tokens at an address, which follow those that there are; the last one's logits are asked for. */
    static MemorySegment batch(Arena arena, MemorySegment tokens) {
        MemorySegment batch = arena.allocate(BATCH);
        batch.set(ADDRESS, 8, tokens);
        return batch;
    }

    /**
     * A batch of a token at one position of each of several sequences, of all of which the logits are asked for.
     *
     * @param tokens I32 [sequences]
     * @param positions I32 [sequences]
     */
    static MemorySegment batch(Arena arena, MemorySegment tokens, MemorySegment positions, int sequences) {
        MemorySegment batch = batch(arena, tokens);
        MemorySegment ids = arena.allocate(JAVA_INT, sequences);
        MemorySegment pointers = arena.allocate(ADDRESS, sequences);
        MemorySegment ones = arena.allocate(JAVA_INT, sequences);
        for (int i = 0; i < sequences; i++) {
            ids.setAtIndex(JAVA_INT, i, i);
            ones.setAtIndex(JAVA_INT, i, 1);
            pointers.setAtIndex(ADDRESS, i, ids.asSlice(i * JAVA_INT.byteSize()));
        }
        setCount(batch, sequences);
        batch.set(ADDRESS, 24, positions);
        batch.set(ADDRESS, 32, ones);
        batch.set(ADDRESS, 40, pointers);
        batch.set(ADDRESS, 48, arena.allocate(sequences, 1).fill((byte) 1));
        return batch;
    }

    /** Sets {@code n_tokens}. */
    static void setCount(MemorySegment batch, int count) {
        batch.set(JAVA_INT, 0, count);
    }

    /** Sets {@code n_seq_max}. */
    static void setSequences(MemorySegment contextParams, int sequences) {
        contextParams.set(JAVA_INT, 12, sequences);
    }

    /** Sets {@code n_ctx}, {@code n_batch}, the two numbers of threads and {@code flash_attn_type} of default parameters. */
    static void set(MemorySegment contextParams, int context, int threads, boolean flashAttention) {
        contextParams.set(JAVA_INT, 0, context);
        contextParams.set(JAVA_INT, 4, context);
        contextParams.set(JAVA_INT, 28, threads);
        contextParams.set(JAVA_INT, 32, threads);
        contextParams.set(JAVA_INT, 52, flashAttention ? 1 : 0);
    }

    static float logit(MemorySegment logits, int token) {
        return logits.getAtIndex(JAVA_FLOAT, token);
    }
}
