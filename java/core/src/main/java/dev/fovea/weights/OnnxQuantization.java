package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the weights that ONNX Runtime's quantizer stores as integers: {@code X = scale · (X_quantized − zero point)}.
 * The nodes that use such integers say which constants are their scale and zero point:
 *
 * <pre>
 *   MatMulInteger(q, W, q_zero, W_zero) ── Cast ── Mul(·, Mul(q_scale, W_scale))
 *   MatMulIntegerToFloat, DynamicQuantizeMatMul, QAttention        the same, fused
 *   Gather(W, ids) ── DequantizeLinear(·, W_scale, W_zero)
 *   DequantizeLinear(W, W_scale, W_zero)
 * </pre>
 *
 * <p>Of integers that no such node uses, {@code X_scale} and {@code X_zero_point} belong to {@code X_quantized}.
 */
final class OnnxQuantization {
    private static final String QUANTIZED = "_quantized";
    private static final String SCALE = "_scale";
    private static final String ZERO_POINT = "_zero_point";
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TensorTable tensors;
    private final Set<String> multiplied = new HashSet<>();
    /** Of each stored tensor the scale and zero point that it has, and its weight. */
    private final Map<String, Found> found = new HashMap<>();
    private final Set<String> parts = new HashSet<>();
    private final Set<OnnxNode> products = Collections.newSetFromMap(new IdentityHashMap<>());

    private record Found(String scale, String zeroPoint, String weight) {}

    OnnxQuantization(TensorTable tensors) {
        this.tensors = tensors;
    }

    /**
     * Puts each weight into the table, the constants of a graph, for the integers that stand for it.
     *
     * @throws FormatException if scale or zero point are missing or do not fit
     */
    void find(List<OnnxNode> nodes) throws FormatException {
        Map<String, OnnxNode> makers = new HashMap<>();
        for (OnnxNode node : nodes) {
            makers.putIfAbsent(node.output(), node);
            switch (node.operator()) {
                case "MatMulInteger" -> multiplied.add(node.input(1));
                case "MatMulIntegerToFloat" -> put(node.input(1), node.input(3), node.input(5), 1);
                case "DynamicQuantizeMatMul" -> put(node.input(1), node.input(2), node.input(3), 1);
                case "QAttention" -> put(node.input(1), node.input(4), node.input(7), 1);
                case "QEmbedLayerNormalization" -> {
                    for (int i = 0; i < 5; i++) {
                        put(node.input(2 + i), node.input(8 + i), node.input(13 + i), 1);
                    }
                }
                case "DequantizeLinear" -> {
                    OnnxNode rows = makers.get(node.input(0));
                    if (rows != null && rows.operator().equals("Gather")) {
                        put(rows.input(0), node.input(1), node.input(2), 1);
                    }
                }
                case "Mul" -> {
                    scale(node, node.input(0), node.input(1), makers);
                    scale(node, node.input(1), node.input(0), makers);
                }
                default -> { }
            }
        }
    }

    /** Where a product of integers is multiplied with a scale, or with a product of scales. */
    private void scale(OnnxNode node, String value, String factor, Map<String, OnnxNode> makers) throws FormatException {
        OnnxNode product = makers.get(value);
        if (product != null && product.operator().equals("Cast")) {
            product = makers.get(product.input(0));
        }
        if (product == null || !product.operator().equals("MatMulInteger")) {
            return;
        }
        OnnxNode scales = makers.get(factor);
        boolean constant = tensors.contains(factor);
        if (constant || scales != null && scales.operator().equals("Mul")) {
            String first = constant ? factor : scales.input(0);
            String scale = constant || tensors.contains(first) ? first : scales.input(1);
            if (put(product.input(1), scale, product.input(3), 1) != null) {
                products.add(node);
            }
        }
    }

    /**
     * Puts the weight that integers stand for into the table.
     *
     * @param zeroPoint empty for 0
     * @param dimension that a scale for each index belongs to
     * @return its name; null if this is none: integers, scale or zero point are no constants, or the same integers have
     *     others elsewhere
     * @throws FormatException if scale or zero point do not fit the integers
     */
    String put(String stored, String scale, String zeroPoint, int dimension) throws FormatException {
        Tensor integers = tensors.find(stored);
        Found before = found.get(stored);
        if (before != null) {
            return before.scale.equals(scale) && before.zeroPoint.equals(zeroPoint) ? before.weight : null;
        }
        String name = strip(stored);
        boolean constants = tensors.contains(scale) && (zeroPoint.isEmpty() || tensors.contains(zeroPoint));
        boolean named = name == null || !tensors.contains(name + SCALE) || scale.equals(name + SCALE);
        if (!constants || !named || integers == null || integers.dtype() != DType.I8 && integers.dtype() != DType.U8) {
            return null;
        }
        String weight = name == null || tensors.contains(name) ? stored : name;
        put(weight, stored, scale, zeroPoint, integers.rank() == 2 && dimension < 2 && dimension >= 0 ? dimension : -1);
        return weight;
    }

    private void put(String weight, String stored, String scale, String zeroPoint, int dimension) throws FormatException {
        Tensor integers = tensors.find(stored);
        float[] scales = scales(scale, stored, integers, dimension);
        int[] zeroPoints = zeroPoints(zeroPoint, stored, integers.dtype(), scales.length);
        tensors.putQuantized(weight, integers, scales, zeroPoints, Math.max(0, dimension));
        found.put(stored, new Found(scale, zeroPoint, weight));
        String name = strip(stored);
        for (String part : List.of(stored, scale, zeroPoint)) {
            if (!part.equals(weight) && name != null && part.startsWith(name)) {
                parts.add(part);
            }
        }
    }

    /**
     * Likewise of integers that no node has claimed, by their names, and removes the parts of all weights.
     *
     * @throws FormatException if scale or zero point are missing or do not fit
     */
    void finish() throws FormatException {
        for (String stored : List.copyOf(tensors.names())) {
            String weight = strip(stored);
            Tensor integers = tensors.find(stored);
            boolean bytes = integers != null && (integers.dtype() == DType.I8 || integers.dtype() == DType.U8);
            if (weight != null && bytes && !tensors.contains(weight) && !found.containsKey(stored)) {
                boolean zero = tensors.contains(weight + ZERO_POINT);
                boolean perColumn = multiplied.contains(stored) && integers.rank() == 2;
                put(weight, stored, weight + SCALE, zero ? weight + ZERO_POINT : "", perColumn ? 1 : -1);
            }
        }
        for (String part : parts) {
            tensors.remove(part);
        }
    }

    /** Whether a node {@code Mul} gives a product of integers the scale of its weight. */
    boolean isProduct(OnnxNode node) {
        return products.contains(node);
    }

    /** The weight that integers of this name stand for. */
    String weight(String stored) {
        Found quantized = found.get(stored);
        return quantized == null ? stored : quantized.weight;
    }

    private float[] scales(String name, String stored, Tensor integers, int dimension) throws FormatException {
        if (!tensors.contains(name)) {
            throw tensors.error(name, "no such tensor, and " + stored + ' ' + integers + " demands it");
        }
        Tensor scale = tensors.find(name);
        if (scale == null || scale.dtype() != DType.F32 && scale.dtype() != DType.F16) {
            throw tensors.error(name, "expected F32, got " + tensors.type(name));
        }
        long count = scale.shape().elements();
        if (scale.rank() > 1 || count != 1 && !(dimension >= 0 && count == integers.size(dimension))) {
            throw tensors.error(name, "expected 1 element" + (dimension >= 0 ? " or " + integers.size(dimension) : "")
                    + " for " + stored + ' ' + integers + ", got " + scale);
        }
        float[] scales = new float[(int) count];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = scale.dtype() == DType.F32
                    ? scale.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 4L * i)
                    : Float.float16ToFloat(scale.segment().get(HALF, 2L * i));
            if (!Float.isFinite(scales[i])) {
                throw tensors.error(name, "expected finite numbers, got " + scales[i] + " at " + i);
            }
        }
        return scales;
    }

    private int[] zeroPoints(String name, String stored, DType type, int count) throws FormatException {
        int[] zeroPoints = new int[count];
        if (name.isEmpty()) {
            return zeroPoints;
        }
        Tensor zeroPoint = tensors.find(name);
        if (zeroPoint == null || zeroPoint.dtype() != type) {
            throw tensors.error(name, "expected " + type + " as of " + stored + ", got " + tensors.type(name));
        }
        if (zeroPoint.rank() > 1 || zeroPoint.shape().elements() != count) {
            throw tensors.error(name, "expected as many elements as the scale, " + count + ", got " + zeroPoint);
        }
        for (int i = 0; i < count; i++) {
            int value = zeroPoint.segment().get(ValueLayout.JAVA_BYTE, i);
            zeroPoints[i] = type == DType.U8 ? value & 0xff : value;
        }
        return zeroPoints;
    }

    /** The name of the weight before the quantizer, or null. */
    static String strip(String name) {
        boolean named = name.endsWith(QUANTIZED) && name.length() > QUANTIZED.length();
        return named ? name.substring(0, name.length() - QUANTIZED.length()) : null;
    }
}
