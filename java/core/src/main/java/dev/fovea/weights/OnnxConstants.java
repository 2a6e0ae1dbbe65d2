package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Follows constants through nodes that only rename, turn or widen them:
 *
 * <pre>
 *   Identity(W)                     W under another name, as exporters write equal or tied tensors
 *   Transpose(W [out, in])          the transposed view
 *   Cast(W)                         W, if no number is rounded
 *   DequantizeLinear(W, s, z)       what the integers stand for: {@link OnnxQuantization}
 * </pre>
 */
final class OnnxConstants {
    private final TensorTable tensors;
    private final OnnxQuantization quantization;
    private final Map<String, OnnxNode> makers = new HashMap<>();
    /** Of a value that is the same tensor under another name, what it comes from. */
    private final Map<String, String> sources = new HashMap<>();
    private final Set<String> derived = new HashSet<>();
    private final Set<String> variable = new HashSet<>();

    private OnnxConstants(TensorTable tensors, OnnxQuantization quantization) {
        this.tensors = tensors;
        this.quantization = quantization;
    }

    /** Puts the values of such nodes into the table of a graph's constants. */
    static OnnxConstants follow(OnnxGraph graph, OnnxQuantization quantization) throws FormatException {
        OnnxConstants constants = new OnnxConstants(graph.tensors(), quantization);
        for (OnnxNode node : graph.nodes()) {
            if (passes(node)) {
                constants.makers.putIfAbsent(node.output(), node);
            }
        }
        for (OnnxNode node : graph.nodes()) {
            if (passes(node)) {
                constants.resolve(node.output());
            }
        }
        return constants;
    }

    private static boolean passes(OnnxNode node) {
        return switch (node.operator()) {
            case "Identity", "Transpose", "Cast", "DequantizeLinear" -> !node.input(0).isEmpty() && !node.output().isEmpty();
            default -> false;
        };
    }

    /** Whether a value is a constant, which then is in the table. No recursion: a file may have a chain of any length, or a cycle. */
    private boolean resolve(String value) throws FormatException {
        Deque<OnnxNode> chain = new ArrayDeque<>();
        String at = value;
        while (!tensors.contains(at)) {
            OnnxNode maker = makers.get(at);
            if (maker == null || !variable.add(at)) {
                return false;
            }
            chain.push(maker);
            at = maker.input(0);
        }
        while (!chain.isEmpty()) {
            OnnxNode node = chain.pop();
            if (!put(node)) {
                return false;
            }
            variable.remove(node.output());
            derived.add(node.output());
        }
        return true;
    }

    private boolean put(OnnxNode node) throws FormatException {
        String from = node.input(0);
        Tensor tensor = tensors.find(from);
        switch (node.operator()) {
            case "Identity" -> same(node);
            case "Cast" -> {
                OnnxType to = OnnxType.of(node.integer("to", 0));
                if (tensor == null || to == null || !widens(tensor.dtype(), to.dtype())) {
                    return false;
                }
                same(node);
            }
            case "Transpose" -> {
                OnnxNode.Attribute order = node.attributes().get("perm");
                if (tensor == null || tensor.rank() != 2
                        || order != null && !order.integers().equals(List.of(1L, 0L))) {
                    return false;
                }
                tensors.putTransposed(node.output(), from);
            }
            default -> {
                String weight = tensor == null || node.integer("block_size", 0) != 0 ? null : quantization.put(
                        from, node.input(1), node.input(2), (int) axis(node.integer("axis", 1), tensor));
                if (weight == null) {
                    return false;
                }
                tensors.putAlias(node.output(), weight);
                sources.put(node.output(), weight);
            }
        }
        return true;
    }

    private static long axis(long axis, Tensor tensor) {
        return axis < 0 ? axis + tensor.rank() : axis;
    }

    private void same(OnnxNode node) {
        tensors.putAlias(node.output(), node.input(0));
        sources.put(node.output(), node.input(0));
    }

    private static boolean widens(DType from, DType to) {
        return from == to || to == DType.F32 && (from == DType.F16 || from == DType.BF16);
    }

    /** The first name with an ending that a constant has: its own, or one of those that it has it from; else null. */
    String nameWith(String ending, String value) {
        String at = value;
        while (at != null && !at.endsWith(ending)) {
            at = sources.get(at);
        }
        return at;
    }

    /**
     * Removes what nobody asks for by its name: integers and single numbers of nodes {@code Constant}, and values that
     * bear the name of an operation.
     */
    void tidy(List<OnnxNode> nodes) {
        for (OnnxNode node : nodes) {
            String name = node.output();
            Tensor tensor = node.operator().equals("Constant") ? tensors.find(name) : null;
            boolean weight = tensor == null || tensor.rank() > 0
                    && (tensor.dtype().isFloatingPoint() || tensors.isQuantized(name));
            if (!weight || (derived.contains(name) && (name.startsWith("/") || name.contains("::")))) {
                tensors.remove(name);
            }
        }
    }

    /** Whether a value has been put into the table for a node that passes it on. */
    boolean isDerived(String value) {
        return derived.contains(value);
    }
}
