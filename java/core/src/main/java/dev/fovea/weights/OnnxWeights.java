package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The initializers of an ONNX model, under the names of the model it was exported from.
 *
 * <p>Initializers keep their names, except the weights of linear layers that an exporter left
 * anonymous: these are found through their layer's bias, are called {@code <layer>.weight} and are
 * views of shape [out, in], whichever way around they are stored. Types without a {@link DType} are
 * listed among the names, but {@link #get} refuses them. Models with external data are refused.
 *
 * <p>What ONNX Runtime's dynamic quantization stores as integers with scale and zero point has the name of the weight
 * that it stands for: {@link #get} gives the integers, {@link #weight} and {@link #getF32} what they stand for.
 */
public final class OnnxWeights implements Weights {
    private final Path file;
    private final TensorTable tensors;

    private OnnxWeights(Path file, TensorTable tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    /**
     * Maps an ONNX file.
     *
     * @throws FormatException if the content is not an ONNX model, or one whose weights lie elsewhere
     * @throws IOException if the file is absent, a directory or not readable
     */
    public static OnnxWeights open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            TensorTable tensors = new TensorTable(file, arena);
            readModel(ProtoReader.of(MappedFile.map(file, arena), "model"), arena, tensors);
            return new OnnxWeights(file, tensors);
        } catch (Throwable failure) {
            arena.close();
            throw failure;
        }
    }

    private static void readModel(ProtoReader model, Arena arena, TensorTable tensors) throws FormatException {
        List<OnnxNode> nodes = new ArrayList<>();
        boolean graph = false;
        for (int field = model.next(); field != 0; field = model.next()) {
            if (field == 7) {
                readGraph(model.message("graph"), arena, tensors, nodes);
                graph = true;
            } else {
                model.skip();
            }
        }
        if (!graph) {
            throw model.error("graph", "the file holds no graph");
        }
        OnnxQuantization.name(tensors, nodes);
        OnnxLinearLayers.name(tensors, nodes);
    }

    private static void readGraph(ProtoReader graph, Arena arena, TensorTable tensors, List<OnnxNode> nodes)
            throws FormatException {
        int initializers = 0;
        for (int field = graph.next(); field != 0; field = graph.next()) {
            switch (field) {
                case 1 -> {
                    OnnxNode node = OnnxNode.read(graph.message("node"));
                    if (node != null) {
                        nodes.add(node);
                    }
                }
                case 5 -> OnnxInitializer.read(
                        graph.message("initializer[" + initializers++ + "]"), arena, tensors);
                default -> graph.skip();
            }
        }
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public Set<String> names() {
        return tensors.names();
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
}
