package dev.fovea.internal.host;

import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.PackingProgress;
import dev.fovea.internal.backend.Step;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import dev.fovea.tensor.WeightStorage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A plan's constants as its kernels want them: weights of products packed, each once, vectors copied as F32, and word
 * embeddings read where they lie, such as in a mapped file, in the layout that they are stored in.
 */
final class HostConstants {
    private final Kernels kernels;
    private final WeightStorage storage;
    private final Arena arena;
    private final Map<Weight, Tensor> tensors = new IdentityHashMap<>();
    private final Map<Weight, Tensor> zeros = new IdentityHashMap<>();
    private final Map<Weight, Weight> embeddings = new IdentityHashMap<>();
    private final Map<PackingKey, PackedLinear> packed = new HashMap<>();
    private final Map<Step.Linear, PackedLinear> weights = new IdentityHashMap<>();
    private final Map<Step.Linear, Tensor> biases = new IdentityHashMap<>();

    private HostConstants(Kernels kernels, WeightStorage storage, Arena arena) {
        this.kernels = kernels;
        this.storage = storage;
        this.arena = arena;
    }

    /** Packs and copies all constants of a plan into {@code arena}. */
    static HostConstants prepare(HostDevice device, LoweredPlan plan, Arena arena) {
        try (Arena packing = Arena.ofConfined()) {
            var constants = new HostConstants(device.kernels(packing), plan.weights(), arena);
            List<Step.Linear> products = new ArrayList<>();
            for (Step step : plan.steps()) {
                if (step instanceof Step.Embedding embedding) {
                    constants.addEmbedding(embedding.words());
                    constants.addTensors(embedding.positions(), embedding.type());
                } else if (step instanceof Step.TokenTypes types) {
                    constants.addEmbedding(types.table());
                } else if (step instanceof Step.RelativeBias bias) {
                    constants.addTensors(bias.table());
                } else if (step instanceof Step.LayerNorm norm) {
                    constants.addNorm(norm);
                } else if (step instanceof Step.RmsNorm norm) {
                    constants.addTensors(norm.gamma());
                } else if (step instanceof Step.Linear linear) {
                    products.add(linear);
                }
            }
            constants.pack(products, device);
            return constants;
        }
    }

    /** Where a product's weights are packed to. */
    private record Packing(Step.Linear product, PackingKey key, long start, long bytes) {}

    /**
     * Packs all weights into one block of memory, which a huge page of the system covers better than many small ones. The
     * largest come first: what a file has of one is in memory beside all that is packed by then.
     */
    private void pack(List<Step.Linear> products, HostDevice device) {
        long total = 0;
        List<Packing> packings = new ArrayList<>();
        Set<PackingKey> seen = new HashSet<>();
        for (Step.Linear product : products) {
            PackingKey key = new PackingKey(product);
            if (seen.add(key)) {
                var packing = new Packing(product, key, total, packedBytes(product));
                total = Math.addExact(total, packing.bytes());
                // By hand: a comparator would be a class that is made at each start.
                int place = packings.size();
                while (place > 0 && packings.get(place - 1).bytes() < packing.bytes()) {
                    place--;
                }
                packings.add(place, packing);
            }
        }
        MemorySegment memory = device.allocate(arena, total);
        var sources = new MappedSources(products);
        long done = 0;
        for (Packing packing : packings) {
            MemorySegment room = memory.asSlice(packing.start(), packing.bytes(), Kernels.ALIGNMENT);
            packed.put(packing.key(), pack(packing.product(), room, sources));
            done += room.byteSize();
            PackingProgress.report(done, total);
        }
        sources.unload();
        for (Step.Linear product : products) {
            weights.put(product, packed.get(new PackingKey(product)));
            biases.put(product, mergedBias(product));
        }
    }

    private PackedLinear pack(Step.Linear product, MemorySegment memory, MappedSources sources) {
        int outputs = product.outputs();
        Layout kept = kept(product);
        int first = 0;
        for (Step.Part part : product.parts()) {
            OpContract.pack(part.weight(), kept);
            kernels.pack(part.weight(), first, outputs, kept, memory);
            sources.add(part.weight().segment());
            first += (int) part.weight().size(0);
        }
        return new PackedLinear(memory, outputs, product.inputs(), kept, kernels.packing());
    }

    /** What a product's weights are kept as: all of its parts alike. */
    private Layout kept(Step.Linear product) {
        return storage.of(product.parts().getFirst().weight());
    }

    /** Rounded up, so that the next weight is aligned as well. */
    private long packedBytes(Step.Linear product) {
        OpContract.packed(product.outputs(), product.inputs(), kept(product));
        long bytes = kernels.packedBytes(product.outputs(), product.inputs(), kept(product));
        return Math.addExact(bytes, Kernels.ALIGNMENT - 1) / Kernels.ALIGNMENT * Kernels.ALIGNMENT;
    }

    /** Word embeddings are read where they lie, unless they have gaps or, as F32, lie unaligned. */
    private void addEmbedding(Weight words) {
        boolean unaligned = words.layout() == Layout.F32 && words.segment().address() % Float.BYTES != 0;
        boolean usable = words.isDense() && !unaligned && (words.scales() == null || words.scaleDimension() == 0);
        embeddings.put(words, usable ? words : Weight.of(words.toF32(arena)));
    }

    private void addNorm(Step.LayerNorm norm) {
        addTensors(norm.gamma(), norm.beta());
        if (norm.beta() == null) {
            zeros.computeIfAbsent(norm.gamma(), gamma -> Tensor.allocate(arena, DType.F32, gamma.shape()));
        }
    }

    private void addTensors(Weight... constants) {
        for (Weight weight : constants) {
            if (weight != null) {
                tensors.put(weight, tensors.containsKey(weight) ? tensors.get(weight) : weight.toF32(arena));
            }
        }
    }

    private Tensor mergedBias(Step.Linear product) {
        boolean biased = false;
        for (Step.Part part : product.parts()) {
            biased |= part.bias() != null;
        }
        if (!biased) {
            return null;
        }
        Tensor whole = Tensor.allocate(arena, DType.F32, Shape.of(product.outputs()));
        long start = 0;
        for (Step.Part part : product.parts()) {
            long bytes = part.weight().size(0) * Float.BYTES;
            if (part.bias() != null) {
                try (Arena copy = Arena.ofConfined()) {
                    MemorySegment values = part.bias().toF32(copy).segment();
                    MemorySegment.copy(values, 0, whole.segment(), start, bytes);
                }
            }
            start += bytes;
        }
        return whole;
    }

    /** A vector or a table of positions as F32; null for null. */
    Tensor tensor(Weight weight) {
        return weight == null ? null : tensors.get(weight);
    }

    /** The shift of a norm, zeros where it has none. */
    Tensor beta(Step.LayerNorm norm) {
        return norm.beta() == null ? zeros.get(norm.gamma()) : tensors.get(norm.beta());
    }

    /** A table of word embeddings. */
    Weight embedding(Weight words) {
        return embeddings.get(words);
    }

    /** The packed weights of a product. */
    PackedLinear weight(Step.Linear product) {
        return weights.get(product);
    }

    /** The biases of a product, one after the other, or null. */
    Tensor bias(Step.Linear product) {
        return biases.get(product);
    }

    /** Bytes of all that was packed or copied. */
    long bytes() {
        long bytes = packedBytes();
        for (Map<Weight, Tensor> copies : List.of(tensors, zeros)) {
            for (Tensor copy : copies.values()) {
                bytes += copy.segment().byteSize();
            }
        }
        for (Tensor bias : biases.values()) {
            bytes += bias == null ? 0 : bias.segment().byteSize();
        }
        for (Map.Entry<Weight, Weight> embedding : embeddings.entrySet()) {
            bytes += embedding.getKey() == embedding.getValue() ? 0 : embedding.getValue().segment().byteSize();
        }
        return bytes;
    }

    /** Bytes of all packed weights. */
    long packedBytes() {
        long bytes = 0;
        for (PackedLinear weight : packed.values()) {
            bytes += weight.data().byteSize();
        }
        return bytes;
    }
}
