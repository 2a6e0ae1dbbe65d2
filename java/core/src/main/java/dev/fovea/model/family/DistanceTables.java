package dev.fovea.model.family;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.graph.Value;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The keys and queries of distances of each layer: constants, as the vectors of distances and the layer's matrices are.
 * He et al., arXiv:2006.03654, section 3.1. They take layers · 4 · span · width² multiplications, once, by a plan of
 * their own.
 */
final class DistanceTables {
    private final int heads;
    private final int dim;
    private final int rows;
    private final Map<Part, List<Weight>> tables = new EnumMap<>(Part.class);

    /** Computes those that the positions ask for, on {@code engine}, times the scale of scores. */
    DistanceTables(Description d, ModelWeights w, Positions.Disentangled positions, Engine engine) {
        this.heads = d.attention().heads();
        this.dim = d.attention().headDim();
        Weight vectors = w.weight(Part.DISTANCE_EMBEDDINGS, 0);
        this.rows = (int) vectors.size(0);
        List<Part> parts = new ArrayList<>();
        if (positions.byQuery()) {
            parts.add(Part.KEY);
        }
        if (positions.byKey()) {
            parts.add(Part.QUERY);
        }
        Graph graph = graph(d, w, positions, vectors, parts);
        try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(rows, 1)) {
            session.run(1, MemorySegment.ofArray(IntStream.range(0, rows).toArray()),
                    MemorySegment.ofArray(new int[] {0, rows}));
            int output = 0;
            for (Part part : parts) {
                List<Weight> layers = new ArrayList<>();
                for (int layer = 0; layer < d.layers(); layer++) {
                    layers.add(byHead(session.output(output++), d.attention().scale()));
                }
                tables.put(part, layers);
            }
        }
    }

    /** The products of all vectors of distances, [2 span, width], with the matrices of each layer. */
    private static Graph graph(Description d, ModelWeights w, Positions.Disentangled positions, Weight vectors,
            List<Part> parts) {
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(vectors, null, 0, null);
        if (positions.normed()) {
            x = g.layerNorm(x, w.weight(Part.DISTANCE_NORM, 0), w.bias(Part.DISTANCE_NORM, 0), d.norms().epsilon());
        }
        List<Value> products = new ArrayList<>();
        for (Part part : parts) {
            for (int layer = 0; layer < d.layers(); layer++) {
                products.add(g.linear(x, w.weight(part, layer), w.bias(part, layer)));
            }
        }
        return g.build(products.toArray(Value[]::new));
    }

    /** A product [2 span, heads · head_dim] as [heads · 2 span, head_dim], times {@code scale}. */
    private Weight byHead(Tensor product, float scale) {
        Tensor table = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of((long) heads * rows, dim));
        MemorySegment from = product.segment();
        MemorySegment to = table.segment();
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                long source = row * product.stride(0) + (long) head * dim;
                long target = ((long) head * rows + row) * dim;
                for (int i = 0; i < dim; i++) {
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, target + i,
                            from.getAtIndex(ValueLayout.JAVA_FLOAT, source + i) * scale);
                }
            }
        }
        return Weight.of(table);
    }

    /**
     * What the distances are as keys or queries of a layer, scaled, [heads · 2 span, head_dim].
     *
     * @param part {@link Part#KEY} or {@link Part#QUERY}
     */
    Weight of(Part part, int layer) {
        return tables.get(part).get(layer);
    }
}
