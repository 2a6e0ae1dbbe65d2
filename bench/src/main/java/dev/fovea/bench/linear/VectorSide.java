package dev.fovea.bench.linear;

import dev.fovea.bench.vector.VectorProduct;
import java.util.Arrays;

/** The same idea in Java: the weight in panels of two vectors of outputs, packed once, on heap arrays. */
final class VectorSide implements LinearSide {
    private static final int PANEL = VectorProduct.COLUMNS;

    private final LinearWork work;
    private final float[] x;
    private final float[] panels; // [outputs / PANEL, inputs, PANEL]
    private final float[] out;

    VectorSide(LinearWork work, float[] x, float[] weight) {
        if (work.outputs() % PANEL != 0) {
            throw new IllegalArgumentException("expected outputs in multiples of " + PANEL + ", got " + work.outputs());
        }
        this.work = work;
        this.x = x;
        panels = new float[weight.length];
        for (int n = 0; n < work.outputs(); n++) {
            for (int k = 0; k < work.inputs(); k++) {
                panels[(n / PANEL * work.inputs() + k) * PANEL + n % PANEL] = weight[n * work.inputs() + k];
            }
        }
        out = new float[work.rows() * work.outputs()];
    }

    @Override
    public void multiply() {
        int inputs = work.inputs();
        int outputs = work.outputs();
        int fours = work.rows() / VectorProduct.ROWS * VectorProduct.ROWS;
        Arrays.fill(out, 0f);
        for (int n = 0; n < outputs; n += PANEL) {
            int panel = n * inputs;
            for (int m = 0; m < fours; m += VectorProduct.ROWS) {
                VectorProduct.addFour(x, m * inputs, inputs, panels, panel, PANEL, out, m * outputs + n, outputs,
                        inputs, PANEL);
            }
            for (int m = fours; m < work.rows(); m++) {
                VectorProduct.addOne(x, m * inputs, panels, panel, PANEL, out, m * outputs + n, inputs, PANEL);
            }
        }
    }

    @Override
    public float[] result() {
        return out.clone();
    }

    @Override
    public String setting() {
        return "heap arrays, weight packed once, " + VectorProduct.description();
    }
}
