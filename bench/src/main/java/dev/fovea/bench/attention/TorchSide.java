package dev.fovea.bench.attention;

import dev.fovea.bench.natives.BlasEnvironment;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's {@code scaled_dot_product_attention}: its fused CPU kernel, on tensors that are made once. */
final class TorchSide implements AttentionSide {
    private static final double NO_DROPOUT = 0;
    private static final String POM = "/META-INF/maven/org.bytedeco/pytorch/pom.properties";

    private final AttentionWork work;
    private final String blasKernels;
    private final NoGradGuard noGradients;
    private final TensorOptional noMask;
    private final DoubleOptional scale;
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private Tensor out;

    TorchSide(AttentionWork work, AttentionInputs inputs) {
        this.work = work;
        blasKernels = BlasEnvironment.clear();
        noMask = new TensorOptional();
        noGradients = new NoGradGuard();
        torch.set_num_threads(work.threads());
        // PyTorch's threads are OpenMP's, and this OpenBLAS has threads of its own beside them.
        openblas.blas_set_num_threads(1);
        long[] shape = {1, work.heads(), work.tokens(), work.headDim()};
        scale = new DoubleOptional(work.scale());
        query = Tensor.create(inputs.query(), shape);
        key = Tensor.create(inputs.key(), shape);
        value = Tensor.create(inputs.value(), shape);
    }

    @Override
    public void attend() {
        if (out != null) {
            out.close();
        }
        out = torch.scaled_dot_product_attention(query, key, value, noMask, NO_DROPOUT, work.causal(), scale, false);
    }

    @Override
    public float[] result() {
        float[] values = new float[work.elements()];
        try (Tensor dense = out.contiguous()) {
            new FloatPointer(dense.data_ptr()).get(values);
        }
        return values;
    }

    @Override
    public long scratchBytes() {
        return -1;
    }

    @Override
    public String setting() {
        return "set_num_threads(" + torch.get_num_threads() + "), OpenBLAS on 1 thread, " + blasKernels + ", "
                + torch.get_cpu_capability().getString() + ", contiguous [1, heads, tokens, head_dim], no gradients; "
                + "each call makes its output, as in any use";
    }

    @Override
    public String version() {
        try (InputStream in = Tensor.class.getResourceAsStream(POM)) {
            Properties pom = new Properties();
            if (in != null) {
                pom.load(in);
            }
            return pom.getProperty("version", "unknown") + " (org.bytedeco:pytorch)";
        } catch (IOException e) {
            return "unknown";
        }
    }

    @Override
    public void close() {
        for (AutoCloseable each : new AutoCloseable[] {out, query, key, value, noMask, scale, noGradients}) {
            try {
                if (each != null) {
                    each.close();
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
