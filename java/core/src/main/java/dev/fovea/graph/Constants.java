package dev.fovea.graph;

import dev.fovea.internal.kernels.Kernels;
import dev.fovea.internal.kernels.PackedLinear;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
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
        for (Stage stage : stages) {
            switch (stage) {
                case Stage.Single single -> single.op().constants().forEach(
                        tensor -> constants.tensors.computeIfAbsent(tensor, _ -> usable(tensor, arena)));
                case Stage.Product product -> constants.products.put(product, pack(product, kernels, weights, arena));
                case Stage.Pooled _ -> { }
            }
        }
        return constants;
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

    private static Packed pack(Stage.Product product, Kernels kernels, DType weights, Arena arena) {
        try (Arena scratch = Arena.ofConfined()) {
            return new Packed(kernels.pack(arena, weight(product, scratch), weights), bias(product, arena));
        }
    }

    /** The weights of all parts as one matrix [columns, inputs]; a single aligned one as it is. */
    private static Tensor weight(Stage.Product product, Arena scratch) {
        List<Tensor> weights = product.parts().stream().map(Stage.Part::weight).toList();
        if (weights.size() == 1 && isAligned(weights.getFirst())) {
            return weights.getFirst();
        }
        long outputs = product.columns();
        long inputs = product.x().columns();
        boolean transposed = weights.stream().allMatch(weight -> weight.stride(0) == 1);
        Tensor whole = transposed
                ? Tensor.allocate(scratch, DType.F32, Shape.of(inputs, outputs)).transpose(0, 1)
                : Tensor.allocate(scratch, DType.F32, Shape.of(outputs, inputs));
        long row = 0;
        for (Tensor weight : weights) {
            StridedCopy.copy(weight, whole, row * whole.stride(0));
            row += weight.size(0);
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
