package dev.fovea.model.family;

import dev.fovea.weights.Weights;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * What a family calls the weights of its checkpoints: a name for each {@link Part}, in which {@code #} stands for the
 * layer, and what is put behind it for the weight and for its bias. Immutable; each {@code with…} gives a copy.
 *
 * @param names of the parts
 * @param biases names of biases that are not those of their weights, endings included
 * @param weightEndings what may stand behind the name of a weight, the usual one first
 * @param biasEndings likewise of a bias
 * @param fused parts whose rows stand below each other in one tensor, in the order in which they do; they bear its name
 * @param index the number that stands for a layer in names: layers of one number share their weights
 */
public record WeightNames(Map<Part, String> names, Map<Part, String> biases, List<String> weightEndings,
        List<String> biasEndings, List<List<Part>> fused, IntUnaryOperator index) {
    /** The parts of a fused attention, in the order of their rows. */
    static final List<Part> ATTENTION = List.of(Part.QUERY, Part.KEY, Part.VALUE);

    /** Copies the collections. */
    public WeightNames {
        names = new EnumMap<>(names);
        biases = biases.isEmpty() ? Map.of() : new EnumMap<>(biases);
        weightEndings = List.copyOf(weightEndings);
        biasEndings = List.copyOf(biasEndings);
        fused = List.copyOf(fused);
    }

    /** These names, with {@code .weight} and {@code .bias} behind them. */
    public static WeightNames of(Map<Part, String> names) {
        return new WeightNames(names, Map.of(), List.of(".weight"), List.of(".bias"), List.of(),
                IntUnaryOperator.identity());
    }

    /** The plain names of a stack, {@code encoder} for example; stacks share their embeddings and the output matrix. */
    public static WeightNames plain(String stack) {
        Map<Part, String> names = new EnumMap<>(Part.class);
        for (Part part : Part.values()) {
            boolean shared = part == Part.WORDS || part == Part.OUTPUT;
            names.put(part, (shared ? "" : stack + '.') + part.plainName());
        }
        return of(names);
    }

    /** Where these endings are in use too; {@code .weight} and {@code .bias} come first. */
    public WeightNames withEndings(String weight, String bias) {
        return new WeightNames(names, biases, List.of(weightEndings.getFirst(), weight),
                List.of(biasEndings.getFirst(), bias), fused, index);
    }

    /** With a prefix before every name. */
    public WeightNames withPrefix(String prefix) {
        Map<Part, String> prefixed = new EnumMap<>(Part.class);
        for (var entry : names.entrySet()) {
            prefixed.put(entry.getKey(), prefix + entry.getValue());
        }
        return new WeightNames(prefixed, biases, weightEndings, biasEndings, fused, index);
    }

    /** With the names of some parts besides, or instead. */
    public WeightNames with(Map<Part, String> more) {
        Map<Part, String> all = new EnumMap<>(names);
        all.putAll(more);
        return new WeightNames(all, biases, weightEndings, biasEndings, fused, index);
    }

    /** Where the bias of a part has a name of its own. */
    public WeightNames withBias(Part part, String name) {
        Map<Part, String> all = new EnumMap<>(Part.class);
        all.putAll(biases);
        all.put(part, name);
        return new WeightNames(names, all, weightEndings, biasEndings, fused, index);
    }

    /** Where the rows of these parts stand below each other, in this order, in one tensor of this name. */
    public WeightNames withFused(String name, Part... parts) {
        Map<Part, String> all = new EnumMap<>(names);
        for (Part part : parts) {
            all.put(part, name);
        }
        List<List<Part>> groups = new ArrayList<>(fused);
        groups.add(List.of(parts));
        return new WeightNames(all, biases, weightEndings, biasEndings, groups, index);
    }

    /** Where layers have the weights of this number. */
    public WeightNames withIndex(IntUnaryOperator index) {
        return new WeightNames(names, biases, weightEndings, biasEndings, fused, index);
    }

    /** The name without an ending: what the value of a graph is called that a weight makes. */
    public String of(Part part, int layer) {
        String name = names.get(part);
        if (name == null) {
            throw new IllegalArgumentException("this family has no name for " + part);
        }
        return name.replace("#", Integer.toString(index.applyAsInt(layer)));
    }

    /** The names that a weight may have, or its bias; the usual one first. */
    public List<String> candidates(Part part, int layer, boolean bias) {
        if (bias && biases.containsKey(part)) {
            return List.of(biases.get(part));
        }
        String name = of(part, layer);
        List<String> candidates = new ArrayList<>();
        for (String ending : bias ? biasEndings : weightEndings) {
            candidates.add(name + ending);
        }
        return candidates;
    }

    /** The name that the rows of an attention have in a file where ONNX Runtime fused it; none for other parts. */
    List<String> fusedAttention(Part part, int layer, boolean bias) {
        return ATTENTION.contains(part) && names.containsKey(Part.ATTENTION_OUTPUT)
                ? List.of(of(Part.ATTENTION_OUTPUT, layer) + Weights.FUSED_ATTENTION + (bias ? ".bias" : ".weight"))
                : List.of();
    }

    /** The parts that a tensor holds beside this one, in the order of their rows; the part alone if it is not fused. */
    public List<Part> group(Part part) {
        for (List<Part> group : fused) {
            if (group.contains(part)) {
                return group;
            }
        }
        return List.of(part);
    }
}
