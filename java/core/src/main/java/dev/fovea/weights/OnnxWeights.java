package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * The weights of an ONNX model, under the names of the model it was exported from.
 *
 * <p>Initializers keep their names, and so do constants that a node renames, turns or widens. The weights of linear
 * layers that an exporter left anonymous are found through the graph, by their layer's bias or else by the node's own
 * name; they are called {@code <layer>.weight} and are views of shape [out, in], whichever way around they are stored.
 * Where ONNX Runtime fused an attention, the weights of queries, keys and values are rows of one tensor, which is called
 * {@code <layer>.qkv.weight} after the layer that multiplies the attention's result; so with its bias. Types without a
 * {@link DType}, and weights in packed blocks, are listed among the names, but {@link #get} refuses them. External data
 * is mapped; its files must be in the model's directory.
 *
 * <p>What ONNX Runtime's dynamic quantization stores as integers with scale and zero point has the name of the weight
 * that it stands for: {@link #get} gives the integers, {@link #weight} and {@link #getF32} what they stand for.
 */
public final class OnnxWeights implements Weights {
    private final Path file;
    private final TensorTable tensors;
    /** The nodes whose weights have no name. */
    private final List<String> unnamed;

    private OnnxWeights(Path file, TensorTable tensors, List<String> unnamed) {
        this.file = file;
        this.tensors = tensors;
        this.unnamed = unnamed;
    }

    /**
     * Maps an ONNX file, and the files that hold its data.
     *
     * @throws FormatException if the content is not an ONNX model, or a file of its data is not beside it
     * @throws IOException if the file is absent, a directory or not readable
     */
    public static OnnxWeights open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            OnnxGraph graph = OnnxGraph.read(MappedFile.map(file, arena), arena);
            OnnxQuantization quantization = new OnnxQuantization(graph.tensors());
            OnnxConstants constants = OnnxConstants.follow(graph, quantization);
            quantization.find(graph.nodes());
            quantization.finish();
            List<String> unnamed = OnnxLinearLayers.name(graph, constants, quantization);
            constants.tidy(graph.nodes());
            return new OnnxWeights(file, graph.tensors(), unnamed);
        } catch (Throwable failure) {
            arena.close();
            throw failure;
        }
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public long mappedBytes() {
        return tensors.mappedBytes();
    }

    @Override
    public Set<String> names() {
        return tensors.names();
    }

    @Override
    public String brief() {
        String more = unnamed.size() < 2 ? "" : ", as for " + (unnamed.size() - 1) + " more";
        return Weights.super.brief()
                + (unnamed.isEmpty() ? "" : "; there is no name for the weight of " + Excerpt.of(unnamed.getFirst()) + more);
    }

    @Override
    public Tensor get(String name) {
        return tensors.get(name);
    }

    @Override
    public boolean isFloatingPoint(String name) {
        return Weights.super.isFloatingPoint(name) || tensors.isQuantized(name);
    }

    @Override
    public Weight weight(String name) {
        int rank = tensors.get(name).rank();
        boolean quantized = tensors.isQuantized(name) && (rank == 1 || rank == 2);
        return quantized ? tensors.quantized(name) : Weights.super.weight(name);
    }

    @Override
    public Tensor getF32(Arena arena, String name) {
        Tensor tensor = tensors.get(name);
        Weight quantized = tensors.quantized(name);
        if (quantized == null) {
            return Weights.super.getF32(arena, name);
        }
        Weight stored = quantized.isDense() ? quantized : quantized.transposed();
        return TensorTable.likeStored(tensor, stored.toF32(arena));
    }

    @Override
    public void close() {
        tensors.close();
    }

    @Override
    public String toString() {
        return "OnnxWeights[" + file + ", " + names().size() + " tensors, " + mappedBytes() + " bytes]";
    }
}
