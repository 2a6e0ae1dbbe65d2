package dev.fovea.bench.start;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** ONNX Runtime behind the tokenizers library, on the model's files, as an application puts the two together. */
final class OnnxRuntimeStart {
    private OnnxRuntimeStart() {}

    /** Loads the model in a directory and gives a text's vector. */
    static float[] firstVector(String text, Path model) throws IOException, OrtException {
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(model.resolve("tokenizer.json"));
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        OrtSession session = environment.createSession(model.resolve("model.onnx").toString());
        Encoding encoding = tokenizer.encode(text);
        Map<String, OnnxTensor> inputs = Map.of(
                "input_ids", tensor(environment, encoding.getIds()),
                "attention_mask", tensor(environment, encoding.getAttentionMask()),
                "token_type_ids", tensor(environment, encoding.getTypeIds()));
        try (OrtSession.Result result = session.run(inputs)) {
            for (Map.Entry<String, OnnxValue> output : result) {
                if (output.getValue().getValue() instanceof float[][][] hidden) {
                    return mean(hidden[0], encoding.getAttentionMask());
                }
            }
        }
        throw new IllegalStateException("no output has rank 3: " + session.getOutputNames());
    }

    private static OnnxTensor tensor(OrtEnvironment environment, long[] values) throws OrtException {
        return OnnxTensor.createTensor(environment, new long[][] {values});
    }

    /** The mean of the tokens' rows that {@code mask} keeps, scaled to length 1. */
    private static float[] mean(float[][] rows, long[] mask) {
        float[] mean = new float[rows[0].length];
        double squares = 0;
        for (int i = 0; i < mean.length; i++) {
            for (int row = 0; row < rows.length; row++) {
                mean[i] += rows[row][i] * mask[row];
            }
            squares += (double) mean[i] * mean[i];
        }
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= (float) Math.sqrt(squares);
        }
        return mean;
    }
}
