package dev.fovea.bench.encode;

import dev.fovea.Backend;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.study.WarmUp;
import dev.fovea.model.WeightType;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** all-MiniLM-L6-v2 as one side has loaded it. Nothing frees it before its process ends. */
public interface MiniLm {
    /** Components of a vector. */
    int DIMENSION = 384;

    /** Fovea's C core. */
    String FOVEA = "Fovea";

    /** Fovea's C core on weights of bfloat16. */
    String FOVEA_BF16 = "Fovea bf16";

    /** Fovea's C core on weights of 8 bits. */
    String FOVEA_INT8 = "Fovea int8";

    /** Fovea's plain Java backend. */
    String FOVEA_JAVA = "Fovea Java";

    /** Fovea's backend on the Vector API. */
    String FOVEA_VECTOR = "Fovea Vector API";

    /** Fovea on a GPU. */
    String FOVEA_CUDA = "Fovea CUDA fp32";

    /** Fovea on a GPU, on weights and activations of bfloat16. */
    String FOVEA_CUDA_BF16 = "Fovea CUDA bf16";

    /** Fovea on a GPU, on weights and activations of binary16. */
    String FOVEA_CUDA_F16 = "Fovea CUDA fp16";

    /** ONNX Runtime on the same weights. */
    String ONNX_FP32 = "ONNX Runtime fp32";

    /** ONNX Runtime on weights of 8 bits. */
    String ONNX_INT8 = "ONNX Runtime int8";

    /** An encoder for one thread, over the weights that all share. */
    TokenEncoder encoder(List<TokenBatch> batches);

    /**
     * Encodes texts of 8 tokens until the JIT has compiled what surrounds the arithmetic, whatever lengths are timed
     * then. Long ones make too few calls for it, and the compiler's threads take turns with those that compute.
     */
    default void warmUp() throws IOException {
        int batches = 8;
        TokenEncoder encoder = encoder(TokenBatch.ofProse(batches, 1, 8));
        WarmUp.run(WarmUp.SECONDS, () -> {
            for (int batch = 0; batch < batches; batch++) {
                encoder.encode(batch);
            }
        });
    }

    /** The model of 8 bits that LangChain4j publishes, in ONNX. */
    static byte[] int8File() throws IOException {
        String name = "/all-minilm-l6-v2-q.onnx";
        try (InputStream in = MiniLm.class.getResourceAsStream(name)) {
            if (in == null) {
                throw Verdict.absent("no jar on the class path has " + name);
            }
            return in.readAllBytes();
        }
    }

    /** The version of the side. */
    String version();

    /** How the side runs. */
    String setting();

    /**
     * Loads a side.
     *
     * @param threads that share one call
     * @throws Verdict.NotTimed if the side is absent, which is then said already
     */
    static MiniLm load(String side, int threads) throws Exception {
        try {
            return switch (side) {
                case FOVEA -> FoveaMiniLm.load(Backend.NATIVE, WeightType.F32, threads);
                case FOVEA_BF16 -> FoveaMiniLm.load(Backend.NATIVE, WeightType.BF16, threads);
                case FOVEA_INT8 -> FoveaMiniLm.load(Backend.NATIVE, WeightType.INT8, threads);
                case FOVEA_JAVA -> FoveaMiniLm.load(Backend.JAVA, WeightType.F32, threads);
                case FOVEA_VECTOR -> FoveaMiniLm.load(Backend.VECTOR, WeightType.F32, threads);
                case FOVEA_CUDA -> FoveaMiniLm.load(Backend.CUDA, WeightType.F32, threads);
                case FOVEA_CUDA_BF16 -> FoveaMiniLm.load(Backend.CUDA, WeightType.BF16, threads);
                case FOVEA_CUDA_F16 -> FoveaMiniLm.load(Backend.CUDA, WeightType.F16, threads);
                case ONNX_FP32 -> OnnxRuntimeMiniLm.fp32(threads);
                case ONNX_INT8 -> OnnxRuntimeMiniLm.int8(threads);
                default -> throw new IllegalArgumentException("no side loads all-MiniLM-L6-v2 as " + side);
            };
        } catch (NoClassDefFoundError e) {
            throw Verdict.absent("not on the class path: " + e.getMessage());
        } catch (UnsupportedOperationException e) {
            throw Verdict.absent(e.getMessage());
        }
    }

    /**
     * What the vectors of a side are compared with, on one thread: Fovea's C core for its peers; ONNX Runtime for
     * Fovea, and where that is not there the plain Java backend, which is slow.
     */
    static MiniLm referenceOf(String side) throws Exception {
        if (!side.startsWith(FOVEA)) {
            return FoveaMiniLm.load(Backend.NATIVE, WeightType.F32, 1);
        }
        try {
            return OnnxRuntimeMiniLm.fp32(1);
        } catch (NoClassDefFoundError e) {
            return FoveaMiniLm.load(Backend.JAVA, WeightType.F32, 1);
        }
    }

    /**
     * Compares a batch's vectors with their reference.
     *
     * @throws Verdict.NotTimed if they differ by more than 1e-5, or those of rounded weights in direction
     */
    static void check(String side, float[] reference, float[] vectors) {
        switch (side) {
            case ONNX_INT8 -> Verdict.agreeByCosine(reference, vectors, DIMENSION, 0.98);
            case FOVEA_INT8 -> Verdict.agreeByCosine(reference, vectors, DIMENSION, 0.99);
            case FOVEA_BF16, FOVEA_CUDA_BF16, FOVEA_CUDA_F16 ->
                    Verdict.agreeByCosine(reference, vectors, DIMENSION, 0.9999);
            default -> Verdict.agree(reference, vectors, 1e-5);
        }
    }
}
