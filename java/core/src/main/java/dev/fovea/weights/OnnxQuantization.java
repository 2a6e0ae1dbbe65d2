package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Gives the weights that ONNX Runtime's quantizer replaced their names back. It stores a weight {@code X} as three
 * tensors, which stand for {@code X = X_scale · (X_quantized − X_zero_point)}:
 *
 * <pre>
 *   X_quantized    INT8 or UINT8
 *   X_scale        FLOAT, one, or one for each column of a weight that a MatMulInteger multiplies
 *   X_zero_point   as many of the type of X_quantized; 0 where absent
 * </pre>
 */
final class OnnxQuantization {
    private static final String QUANTIZED = "_quantized";
    private static final String SCALE = "_scale";
    private static final String ZERO_POINT = "_zero_point";

    private final TensorTable tensors;
    private final Set<String> multiplied = new HashSet<>();

    private OnnxQuantization(TensorTable tensors) {
        this.tensors = tensors;
    }

    /** The weight that this is the stored tensor of, or null. */
    static String weight(String quantized) {
        return strip(quantized, QUANTIZED);
    }

    /** The weight that this is the scale of, or null. */
    static String scaled(String scale) {
        return strip(scale, SCALE);
    }

    /**
     * Puts each {@code X} into {@code tensors}, the initializers of a graph, for the three that stand for it.
     *
     * @throws FormatException if scale or zero point are missing or do not fit
     */
    static void name(TensorTable tensors, List<OnnxNode> nodes) throws FormatException {
        OnnxQuantization quantization = new OnnxQuantization(tensors);
        for (OnnxNode node : nodes) {
            if (node.operator().equals("MatMulInteger") && node.inputs().size() > 1) {
                quantization.multiplied.add(node.inputs().get(1));
            }
        }
        for (String stored : List.copyOf(tensors.names())) {
            String weight = weight(stored);
            if (weight != null && !tensors.contains(weight)) {
                quantization.name(weight, stored);
            }
        }
    }

    private void name(String weight, String stored) throws FormatException {
        Tensor integers = tensors.find(stored);
        if (integers == null || integers.dtype() != DType.I8 && integers.dtype() != DType.U8) {
            return;
        }
        float[] scales = scales(weight + SCALE, stored, integers);
        int[] zeroPoints = zeroPoints(weight + ZERO_POINT, stored, integers.dtype(), scales.length);
        tensors.putQuantized(weight, integers, scales, zeroPoints);
        tensors.remove(stored);
        tensors.remove(weight + SCALE);
        tensors.remove(weight + ZERO_POINT);
    }

    private float[] scales(String name, String stored, Tensor integers) throws FormatException {
        if (!tensors.contains(name)) {
            throw tensors.error(name, "no such tensor, and " + stored + ' ' + integers + " demands it");
        }
        Tensor scale = tensors.find(name);
        if (scale == null || scale.dtype() != DType.F32) {
            throw tensors.error(name, "expected F32, got " + tensors.type(name));
        }
        boolean perColumn = multiplied.contains(stored) && integers.rank() == 2;
        long count = scale.shape().elements();
        if (scale.rank() > 1 || count != 1 && !(perColumn && count == integers.size(1))) {
            throw tensors.error(name, "expected 1 element" + (perColumn ? " or " + integers.size(1) : "")
                    + " for " + stored + ' ' + integers + ", got " + scale);
        }
        float[] scales = scale.segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        for (int i = 0; i < scales.length; i++) {
            if (!Float.isFinite(scales[i])) {
                throw tensors.error(name, "expected finite numbers, got " + scales[i] + " at " + i);
            }
        }
        return scales;
    }

    private int[] zeroPoints(String name, String stored, DType type, int count) throws FormatException {
        int[] zeroPoints = new int[count];
        if (!tensors.contains(name)) {
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

    private static String strip(String name, String suffix) {
        boolean named = name.endsWith(suffix) && name.length() > suffix.length();
        return named ? name.substring(0, name.length() - suffix.length()) : null;
    }
}
