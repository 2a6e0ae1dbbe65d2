package dev.fovea.bench.encode;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * ONNX Runtime at its best from Java: one session with all its optimisations, inputs made beforehand, the hidden state
 * written into a direct buffer that is reused. The model file ends with the hidden state, so that the mean over the
 * tokens is taken here; it is less than a thousandth of the work.
 */
final class OnnxRuntimeEncoder implements TokenEncoder {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final List<Map<String, OnnxTensor>> inputs = new ArrayList<>();
    private final int sequences;
    private final int length;
    private final OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    private final OrtSession session;
    private final FloatBuffer hidden;
    private final Map<String, OnnxTensor> outputs;
    private final float[] vectors;

    /** An encoder of {@code batches}, all of one shape, by the model file {@code onnx}. */
    OnnxRuntimeEncoder(Path onnx, int threads, List<TokenBatch> batches) throws OrtException {
        options.setOptimizationLevel(OptLevel.ALL_OPT);
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        session = environment.createSession(onnx.toString(), options);
        sequences = batches.getFirst().sequences();
        length = batches.getFirst().length();
        for (TokenBatch batch : batches) {
            long[] ids = Arrays.stream(batch.ids()).asLongStream().toArray();
            long[] ones = new long[ids.length];
            Arrays.fill(ones, 1);
            inputs.add(Map.of(
                    "input_ids", tensor(ids),
                    "attention_mask", tensor(ones),
                    "token_type_ids", tensor(new long[ids.length])));
        }
        hidden = direct(sequences * length * DIMENSION * Float.BYTES).asFloatBuffer();
        outputs = Map.of(hiddenState(session),
                OnnxTensor.createTensor(environment, hidden, new long[] {sequences, length, DIMENSION}));
        vectors = new float[sequences * DIMENSION];
    }

    /** The name of the hidden state: exporters choose it, but no other output has a vector for each token. */
    private static String hiddenState(OrtSession session) throws OrtException {
        for (NodeInfo output : session.getOutputInfo().values()) {
            if (output.getInfo() instanceof TensorInfo tensor && tensor.getShape().length == 3) {
                return output.getName();
            }
        }
        throw new IllegalStateException("no output has rank 3: " + session.getOutputInfo());
    }

    private OnnxTensor tensor(long[] values) throws OrtException {
        LongBuffer buffer = direct(values.length * Long.BYTES).asLongBuffer().put(values).flip();
        return OnnxTensor.createTensor(environment, buffer, new long[] {sequences, length});
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void encode(int batch) {
        try (var _ = session.run(inputs.get(batch), Set.of(), outputs)) {
            for (int sequence = 0; sequence < sequences; sequence++) {
                poolAndNormalise(sequence);
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    private void poolAndNormalise(int sequence) {
        int out = sequence * DIMENSION;
        Arrays.fill(vectors, out, out + DIMENSION, 0);
        for (int token = 0; token < length; token++) {
            int row = (sequence * length + token) * DIMENSION;
            for (int i = 0; i < DIMENSION; i++) {
                vectors[out + i] += hidden.get(row + i);
            }
        }
        float squares = 0;
        for (int i = out; i < out + DIMENSION; i++) {
            squares += vectors[i] * vectors[i];
        }
        float scale = (float) (1 / Math.sqrt(squares));
        for (int i = out; i < out + DIMENSION; i++) {
            vectors[i] *= scale;
        }
    }

    @Override
    public float[] vectors() {
        return vectors.clone();
    }

    @Override
    public void close() {
        inputs.forEach(batch -> batch.values().forEach(OnnxTensor::close));
        outputs.values().forEach(OnnxTensor::close);
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
        options.close();
    }
}
