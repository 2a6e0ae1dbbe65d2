package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
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
     * What stands behind a layer's name in the names of the weights of the attention whose result it multiplies, where a
     * file has these fused: rows of queries, then of keys, then of values.
     */
    String FUSED_ATTENTION = ".qkv";

    /**
     * Opens a file by its name: {@code .safetensors}, {@code .safetensors.index.json}, {@code .onnx} or
     * {@code .gguf}.
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
        if (name.endsWith(".gguf")) {
            return GgufWeights.open(file);
        }
        throw new IllegalArgumentException(
                "expected a .safetensors, .safetensors.index.json, .onnx or .gguf file, got " + file);
    }

    /** The file that was opened. */
    Path file();

    /** Bytes of the files that are mapped, or kept in memory where no cache can be used; 0 if there are none. */
    default long mappedBytes() {
        return 0;
    }

    /** The names of all tensors. Immutable. */
    Set<String> names();

    /** The first few names and how many there are, for messages. */
    default String brief() {
        return names().isEmpty() ? "none" : Excerpt.of(names());
    }

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
     * Whether the tensor of this name holds floating-point numbers: its type is {@code F32}, {@code F16},
     * {@code BF16} or {@code F64}, or the file says which floating-point numbers its integers stand for. {@link #weight} and
     * {@link #getF32} give such tensors only.
     *
     * @throws IllegalArgumentException if there is no such tensor, or its type is none of {@link DType}
     * @throws IllegalStateException if the weights are closed
     */
    default boolean isFloatingPoint(String name) {
        return get(name).dtype().isFloatingPoint();
    }

    /**
     * The tensor of this name as a constant of a model, in its stored type: a view of the mapped file, of which nothing
     * is copied or widened. Quantized integers have the scales of their file, along the dimension that these belong to
     * in this view.
     *
     * @throws IllegalArgumentException if there is no such tensor, it is not
     *     {@linkplain #isFloatingPoint floating-point}, or it has other than 1 or 2 dimensions
     * @throws IllegalStateException if the weights are closed
     */
    default Weight weight(String name) {
        Tensor tensor = requireFloatingPoint(name);
        if (tensor.rank() != 1 && tensor.rank() != 2) {
            throw new IllegalArgumentException(
                    "expected 1 or 2 dimensions, got shape " + tensor.shape() + " in tensor '" + Excerpt.of(name) + "' of " + file());
        }
        return Weight.of(tensor);
    }

    /**
     * The tensor of this name as {@code F32} at an address that is a multiple of 4: the mapped tensor itself if it is
     * that already, otherwise a copy in {@code arena}. {@code F16} and {@code BF16} are widened exactly, and a NaN stays
     * a NaN. Quantized integers become the numbers that they stand for, rounded once. Shape and strides stay the same.
     *
     * @throws IllegalArgumentException if there is no such tensor, or it is not
     *     {@linkplain #isFloatingPoint floating-point}
     * @throws IllegalStateException if the weights or the arena are closed
     */
    default Tensor getF32(Arena arena, String name) {
        Tensor tensor = requireFloatingPoint(name);
        if (tensor.dtype() == DType.F32 && tensor.segment().address() % Float.BYTES == 0) {
            return tensor;
        }
        Tensor stored = Tensor.of(tensor.segment(), tensor.dtype(), Shape.of(tensor.shape().elements()));
        return TensorTable.likeStored(tensor, Weight.of(stored).toF32(arena));
    }

    private Tensor requireFloatingPoint(String name) {
        Tensor tensor = get(name);
        if (!isFloatingPoint(name)) {
            throw new IllegalArgumentException(
                    "expected a floating-point type, got " + tensor.dtype() + " in tensor '" + Excerpt.of(name) + "' of " + file());
        }
        return tensor;
    }

    /**
     * Unmaps the file. Closing twice does nothing.
     *
     * @throws IllegalStateException if a native call is reading a tensor at this moment; the weights stay open
     */
    @Override
    void close();
}
