package dev.fovea.model.family;

import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/** The weights of a {@link Description}: all that it demands, in their shapes, as they are stored. Immutable. */
public final class ModelWeights {
    private final WeightNames names;
    /** Of each part, by layer; no record is a key, whose hash the first call would link: milliseconds of every startup. */
    private final Map<Part, List<Weight>> weights = new EnumMap<>(Part.class);
    private final Map<Part, List<Weight>> biases = new EnumMap<>(Part.class);

    private ModelWeights(WeightNames names) {
        this.names = names;
    }

    /**
     * Those of a file.
     *
     * @throws FormatException naming the tensor, if one is missing, is not of floating-point numbers, or is not of the
     *     shape that the description says; the message speaks of the configuration, where it comes from
     */
    public static ModelWeights of(Description description, WeightNames names, Weights file) throws FormatException {
        return of(description, names, file, null, null);
    }

    /** As {@link #of(Description, WeightNames, Weights)}, with one part in another file. */
    static ModelWeights of(Description description, WeightNames names, Weights file, Part apart, Weights other)
            throws FormatException {
        var found = new ModelWeights(names);
        Map<Part, Shape> shapes = new EnumMap<>(Part.class);
        // Alike in all layers, of which a damaged file may say that there are a billion; the first may lack a norm.
        Description few = description.withLayers(Math.min(2, description.layers()));
        WeightShapes.<RuntimeException>visit(few, (part, _, bias, shape) -> {
            if (!bias) {
                shapes.put(part, shape);
            }
        });
        Map<String, Weight> byName = new HashMap<>();
        WeightShapes.<FormatException>visit(description, (part, layer, bias, shape) ->
                found.put(part, layer, bias, find(part == apart ? other : file, names, shapes, part, layer, bias, shape, byName)));
        return found;
    }

    /** A weight of its own, or rows of one that holds several parts. */
    private static Weight find(Weights file, WeightNames names, Map<Part, Shape> shapes, Part part, int layer,
            boolean bias, Shape shape, Map<String, Weight> byName) throws FormatException {
        List<String> candidates = names.candidates(part, layer, bias);
        List<Part> group = names.group(part);
        List<String> attention = names.fusedAttention(part, layer, bias);
        if (hasAny(file, attention) && !hasAny(file, candidates)) {
            candidates = attention;
            group = WeightNames.ATTENTION;
        }
        long first = 0;
        long rows = 0;
        for (Part other : group) {
            first = other == part ? rows : first;
            rows += other == part ? shape.size(0) : shapes.containsKey(other) ? shapes.get(other).size(0) : 0;
        }
        Weight whole = byName.get(candidates.getFirst());
        if (whole == null) {
            boolean turned = names.turned() && shape.rank() == 2 && part.isOfLayers();
            Shape stored = shape.rank() == 1 ? Shape.of(rows)
                    : turned ? Shape.of(shape.size(1), rows) : Shape.of(rows, shape.size(1));
            whole = find(file, candidates, stored);
            whole = turned ? whole.transposed() : whole;
            byName.put(candidates.getFirst(), whole);
        }
        return rows == shape.size(0) ? whole : whole.rows(first, shape.size(0));
    }

    private static boolean hasAny(Weights file, List<String> names) {
        for (String name : names) {
            if (file.contains(name)) {
                return true;
            }
        }
        return false;
    }

    /** Those that are known to be complete and of the right shapes, by their names. */
    public static ModelWeights of(Description description, WeightNames names, Function<String, Weight> checked) {
        var found = new ModelWeights(names);
        WeightShapes.<RuntimeException>visit(description, (part, layer, bias, _) ->
                found.put(part, layer, bias, checked.apply(names.candidates(part, layer, bias).getFirst())));
        return found;
    }

    /** A matrix of so many rows, as wide as the layers. */
    static Weight rows(WeightNames names, Part part, int rows, Description description, Weights file) throws FormatException {
        return find(file, names.candidates(part, 0, false), Shape.of(rows, description.width()));
    }

    /** A copy with one more, of which there is one only. */
    ModelWeights with(Part part, Weight weight) {
        var more = new ModelWeights(names);
        more.weights.putAll(weights);
        more.biases.putAll(biases);
        more.weights.put(part, List.of(weight));
        return more;
    }

    private void put(Part part, int layer, boolean bias, Weight weight) {
        List<Weight> layers = (bias ? biases : weights).computeIfAbsent(part, _ -> new ArrayList<>());
        while (layers.size() < layer) {
            layers.add(null); // a first layer without it
        }
        if (layers.size() != layer) {
            throw new AssertionError("layer " + layer + " of " + part + " after " + layers.size());
        }
        layers.add(weight);
    }

    private static Weight find(Weights file, List<String> candidates, Shape expected) throws FormatException {
        String name = candidates.getFirst();
        for (int i = 1; i < candidates.size() && !file.contains(name); i++) {
            name = file.contains(candidates.get(i)) ? candidates.get(i) : name;
        }
        if (!file.contains(name)) {
            throw new FormatException(file.file(), -1, name, "no such tensor, and the configuration demands it; there are "
                    + file.brief());
        }
        Weight weight;
        try {
            weight = file.weight(name);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.file(), -1, name, "expected a weight of shape " + expected
                    + " by the configuration, but it is none: " + e.getMessage(), e);
        }
        if (!weight.shape().equals(expected)) {
            throw new FormatException(file.file(), -1, name,
                    "expected shape " + expected + " by the configuration, got " + weight.shape());
        }
        return weight;
    }

    /** Whether the matrices of the first layer are stored as BF16. */
    public boolean areBf16() {
        return weight(Part.QUERY, 0).layout() == Layout.BF16;
    }

    /** How many there are in each layout, matrices and vectors. */
    public Map<String, Integer> layouts() {
        Map<String, Integer> layouts = new TreeMap<>();
        for (var all : List.of(weights, biases)) {
            all.values().forEach(layers -> layers.stream().filter(Objects::nonNull)
                    .forEach(weight -> layouts.merge(weight.layout().name(), 1, Integer::sum)));
        }
        return layouts;
    }

    /** The weight of a part, or null where the model has none; {@code layer} is 0 where there is one only. */
    Weight weight(Part part, int layer) {
        return of(weights, part, layer);
    }

    /** The bias beside it, or null. */
    Weight bias(Part part, int layer) {
        return of(biases, part, layer);
    }

    private static Weight of(Map<Part, List<Weight>> all, Part part, int layer) {
        List<Weight> layers = all.get(part);
        return layers == null ? null : layers.get(layer);
    }

    /** The names that a part's weight may have in a file, or its bias. */
    List<String> candidates(Part part, int layer, boolean bias) {
        List<String> candidates = new ArrayList<>(names.candidates(part, layer, bias));
        candidates.addAll(names.fusedAttention(part, layer, bias));
        return candidates;
    }

    /** What the part is called. */
    String name(Part part, int layer) {
        return names.of(part, layer);
    }
}
