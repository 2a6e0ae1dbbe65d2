package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Set;

/**
 * Named tensors in a mapped file.
 *
 * <p>The tensors are views of the mapping: opening a file of any size reads its header alone, and
 * pages are loaded when they are first touched. They live until {@link #close}; a later use of one
 * is an {@link IllegalStateException}. Safe to share between threads.
 *
 * <p>The file must not shrink while it is open. The operating system reports a read past the new
 * end as a memory fault: the JVM turns it into an {@link InternalError} in Java code, but in
 * native code it ends the process. Replace a file by renaming a new one over it instead of
 * writing into it.
 */
public interface Weights extends AutoCloseable {
    /**
     * Opens a file by its name: {@code .safetensors}, {@code .safetensors.index.json} or {@code .onnx}.
     *
     * @throws IllegalArgumentException if the name has none of these endings
     * @throws FormatException if the content is not what the format demands
     * @throws IOException if the file is absent, a directory or not readable
     */
    static Weights open(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(".safetensors") || name.endsWith(Safetensors.INDEX_SUFFIX)) {
            return Safetensors.open(file);
        }
        if (name.endsWith(".onnx")) {
            return OnnxWeights.open(file);
        }
        throw new IllegalArgumentException(
                "expected a .safetensors, .safetensors.index.json or .onnx file, got " + file);
    }

    /** The file that was opened. */
    Path file();

    /** The names of all tensors. Immutable. */
    Set<String> names();

    /** Whether there is a tensor of this name. */
    default boolean contains(String name) {
        return names().contains(name);
    }

    /**
     * The tensor of this name, in its stored type. The data of a file may begin at any byte, so the
     * segment can be unaligned.
     *
     * @throws IllegalArgumentException if there is no such tensor, or its type is none of {@link DType}
     * @throws IllegalStateException if the weights are closed
     */
    Tensor get(String name);

    /**
     * Whether {@link #getF32} gives the tensor of this name: its type is a floating-point {@link DType}, or the file
     * says which real numbers its integers stand for.
     *
     * @throws IllegalArgumentException if there is no such tensor, or its type is none of {@link DType}
     * @throws IllegalStateException if the weights are closed
     */
    default boolean isReal(String name) {
        return switch (get(name).dtype()) {
            case F32, F16, BF16 -> true;
            default -> false;
        };
    }

    /**
     * The tensor of this name as {@code F32} at an address that is a multiple of 4: the mapped
     * tensor itself where it is that already, otherwise a copy in {@code arena}, widened from
     * {@code F16} or {@code BF16} (exactly; a NaN stays a NaN), or what quantized integers stand for, rounded once.
     * Shape and strides stay the same.
     *
     * @throws IllegalArgumentException if there is no such tensor, or it is not {@linkplain #isReal real}
     * @throws IllegalStateException if the weights or the arena are closed
     */
    default Tensor getF32(Arena arena, String name) {
        Tensor tensor = get(name);
        if (!isReal(name)) {
            throw new IllegalArgumentException(
                    "expected a floating-point type, got " + tensor.dtype() + " in tensor '" + name + "' of " + file());
        }
        return Widening.toF32(arena, tensor);
    }

    /**
     * Unmaps the file. Closing twice does nothing.
     *
     * @throws IllegalStateException if a native call is reading a tensor at this moment; the weights stay open
     */
    @Override
    void close();
}
