package dev.fovea.graph;

import dev.fovea.internal.kernels.Kernels;
import dev.fovea.internal.kernels.PackedLinear;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A plan's constants as its kernels want them, in the plan's arena: weights of products packed, vectors
 * copied, and matrices used where they lie, such as a word embedding in a mapped file, unless they lie
 * unaligned or with gaps.
 */
final class Constants {
    /** The packed weights of a product and their biases one after the other; no bias is null. */
    record Packed(PackedLinear weight, Tensor bias) {}

    private final Map<Tensor, Tensor> tensors = new IdentityHashMap<>();
    private final Map<Stage, Packed> products = new IdentityHashMap<>();

    private Constants() {}

    static Constants prepare(List<Stage> stages, Kernels kernels, DType weights, Arena arena) {
        var constants = new Constants();
        List<Stage.Product> products = new ArrayList<>();
        for (Stage stage : stages) {
            if (stage instanceof Stage.Single single) {
                for (Tensor tensor : single.op().constants()) {
                    constants.tensors.computeIfAbsent(tensor, _ -> usable(tensor, arena));
                }
            } else if (stage instanceof Stage.Product product) {
                products.add(product);
            }
        }
        constants.pack(products, kernels, weights, arena);
        return constants;
    }

    /** Packs all weights into one block of memory, which a huge page of the system covers better than many small ones. */
    private void pack(List<Stage.Product> products, Kernels kernels, DType dtype, Arena arena) {
        long total = 0;
        long merged = 0;
        for (Stage.Product product : products) {
            total = Math.addExact(total, packedBytes(product, kernels, dtype));
            merged = Math.max(merged, mergedBytes(product));
        }
        MemorySegment packed = kernels.allocate(arena, total);
        try (Arena packing = Arena.ofConfined()) {
            MemorySegment scratch = kernels.allocate(packing, merged);
            long start = 0;
            for (Stage.Product product : products) {
                long bytes = packedBytes(product, kernels, dtype);
                PackedLinear weight =
                        kernels.pack(weight(product, scratch), dtype, packed.asSlice(start, bytes, Kernels.ALIGNMENT));
                this.products.put(product, new Packed(weight, bias(product, arena)));
                start += bytes;
            }
        }
    }

    /** Rounded up, so that the next weight is aligned as well. */
    private static long packedBytes(Stage.Product product, Kernels kernels, DType dtype) {
        long bytes = kernels.packedBytes(product.columns(), product.x().columns(), dtype);
        return Math.addExact(bytes, Kernels.ALIGNMENT - 1) / Kernels.ALIGNMENT * Kernels.ALIGNMENT;
    }

    /** Bytes of the matrix that the parts' weights are put together in; 0 for one part. */
    private static long mergedBytes(Stage.Product product) {
        return product.parts().size() == 1 ? 0 : (long) product.columns() * product.x().columns() * Float.BYTES;
    }

    /** The tensor that stands for a constant of an op; null for null. */
    Tensor get(Tensor constant) {
        return constant == null ? null : tensors.get(constant);
    }

    /** The weights of a product. */
    Packed get(Stage.Product product) {
        return products.get(product);
    }

    /** Bytes of all packed weights. */
    long packedBytes() {
        return products.values().stream().mapToLong(packed -> packed.weight().data().byteSize()).sum();
    }

    private static Tensor usable(Tensor tensor, Arena arena) {
        if (tensor.rank() > 1 && tensor.isDense() && isAligned(tensor)) {
            return tensor;
        }
        Tensor copy = Tensor.allocate(arena, DType.F32, tensor.shape());
        StridedCopy.copy(tensor, copy, 0);
        return copy;
    }

    /** The weights of all parts as one matrix [columns, inputs]; a single one as it is. */
    private static Tensor weight(Stage.Product product, MemorySegment scratch) {
        List<Stage.Part> parts = product.parts();
        if (parts.size() == 1) {
            return parts.getFirst().weight();
        }
        long outputs = product.columns();
        long inputs = product.x().columns();
        boolean transposed = parts.stream().allMatch(part -> part.weight().stride(0) == 1);
        Tensor whole = transposed
                ? Tensor.of(scratch, DType.F32, Shape.of(inputs, outputs)).transpose(0, 1)
                : Tensor.of(scratch, DType.F32, Shape.of(outputs, inputs));
        long row = 0;
        for (Stage.Part part : parts) {
            StridedCopy.copy(part.weight(), whole, row * whole.stride(0));
            row += part.weight().size(0);
        }
        return whole;
    }

    private static Tensor bias(Stage.Product product, Arena arena) {
        if (product.parts().stream().allMatch(part -> part.bias() == null)) {
            return null;
        }
        Tensor whole = Tensor.allocate(arena, DType.F32, Shape.of(product.columns()));
        long element = 0;
        for (Stage.Part part : product.parts()) {
            if (part.bias() != null) {
                StridedCopy.copy(part.bias(), whole, element);
            }
            element += part.output().columns();
        }
        return whole;
    }

    private static boolean isAligned(Tensor tensor) {
        return tensor.segment().address() % Float.BYTES == 0;
    }
}
