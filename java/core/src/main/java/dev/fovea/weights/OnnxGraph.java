package dev.fovea.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A graph as it stands in the file: its constants, by the names of their values, and the nodes that matter for them.
 *
 * @param tensors initializers, and values of nodes {@code Constant}
 * @param nodes in their order, where each stands behind those that it depends on
 */
record OnnxGraph(TensorTable tensors, List<OnnxNode> nodes) {
    /** Graphs of language models have some ten thousand nodes. */
    private static final int MAX_PARTS = 1_000_000;

    /**
     * Reads a model.
     *
     * @throws FormatException if the content is not an ONNX model
     */
    static OnnxGraph read(MappedFile file, Arena arena) throws IOException {
        ProtoReader model = ProtoReader.of(file, "model");
        OnnxGraph graph = new OnnxGraph(new TensorTable(file.file(), arena), new ArrayList<>());
        graph.tensors.addMapped(file.size());
        boolean found = false;
        for (int field = model.next(); field != 0; field = model.next()) {
            if (field == 7) {
                var data = new OnnxExternalData(file.file(), arena);
                graph.read(model.message("graph"), arena, data);
                graph.tensors.addMapped(data.mappedBytes());
                found = true;
            } else {
                model.skip();
            }
        }
        if (!found) {
            throw model.error("graph", "the file holds no graph");
        }
        return graph;
    }

    private void read(ProtoReader graph, Arena arena, OnnxExternalData data) throws IOException {
        int initializers = 0;
        int read = 0;
        for (int field = graph.next(); field != 0; field = graph.next()) {
            switch (field) {
                case 1 -> {
                    OnnxNode node = OnnxNode.read(graph.message("node"));
                    if (node != null) {
                        nodes.add(node);
                    }
                }
                case 5 -> OnnxInitializer.read(
                        graph.message("initializer[" + initializers++ + "]"), arena, data, tensors);
                default -> graph.skip();
            }
            if (++read > MAX_PARTS) {
                throw graph.error("node", "more than " + MAX_PARTS + " nodes, initializers and other parts");
            }
        }
        for (OnnxNode node : nodes) {
            OnnxNode.Attribute value = node.attributes().get("value");
            boolean constant = node.operator().equals("Constant") && value != null && value.tensor() != null;
            if (constant && !node.output().isEmpty() && !tensors.contains(node.output())) {
                OnnxInitializer.readConstant(value.tensor(), node.output(), arena, data, tensors);
            }
        }
    }
}
