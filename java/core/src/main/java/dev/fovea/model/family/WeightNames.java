package dev.fovea.model.family;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a family calls the weights of its checkpoints: a name for each {@link Part}, in which {@code #} stands for the
 * layer, and what is put behind it for the weight and for its bias. Immutable.
 */
public final class WeightNames {
    private final Map<Part, String> names;
    private final List<String> weightEndings;
    private final List<String> biasEndings;

    private WeightNames(Map<Part, String> names, List<String> weightEndings, List<String> biasEndings) {
        this.names = new EnumMap<>(names);
        this.weightEndings = List.copyOf(weightEndings);
        this.biasEndings = List.copyOf(biasEndings);
    }

    /** These names, with {@code .weight} and {@code .bias} behind them. */
    public static WeightNames of(Map<Part, String> names) {
        return new WeightNames(names, List.of(".weight"), List.of(".bias"));
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

    /** A copy where these endings are in use too; {@code .weight} and {@code .bias} come first. */
    public WeightNames withEndings(String weight, String bias) {
        return new WeightNames(names, List.of(weightEndings.getFirst(), weight), List.of(biasEndings.getFirst(), bias));
    }

    /** A copy with a prefix before every name. */
    public WeightNames withPrefix(String prefix) {
        Map<Part, String> prefixed = new EnumMap<>(Part.class);
        for (var entry : names.entrySet()) {
            prefixed.put(entry.getKey(), prefix + entry.getValue());
        }
        return new WeightNames(prefixed, weightEndings, biasEndings);
    }

    /** The name without an ending: what the value of a graph is called that a weight makes. */
    public String of(Part part, int layer) {
        String name = names.get(part);
        if (name == null) {
            throw new IllegalArgumentException("this family has no name for " + part);
        }
        return name.replace("#", Integer.toString(layer));
    }

    /** The names that a weight may have, or its bias; the usual one first. */
    public List<String> candidates(Part part, int layer, boolean bias) {
        String name = of(part, layer);
        List<String> candidates = new ArrayList<>();
        for (String ending : bias ? biasEndings : weightEndings) {
            candidates.add(name + ending);
        }
        return candidates;
    }
}
