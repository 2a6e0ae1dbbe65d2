package dev.fovea.bench.encode;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.TensorInfo;
import dev.fovea.model.ModelCatalog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * ONNX Runtime at its best from Java: one session with all its optimisations and its arena, shared by all threads;
 * inputs made beforehand, the hidden state written into a direct buffer that is reused. The model file ends with the
 * hidden state, so that the mean over the tokens is taken here; it is less than a thousandth of the work.
 */
final class OnnxRuntimeMiniLm implements MiniLm {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final String output;
    private final int threads;

    private OnnxRuntimeMiniLm(byte[] onnx, int threads) throws OrtException {
        this.threads = threads;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            session = environment.createSession(onnx, options);
        }
        output = hiddenState(session);
    }

    static OnnxRuntimeMiniLm fp32(int threads) throws IOException, OrtException {
        var model = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        return new OnnxRuntimeMiniLm(Files.readAllBytes(model.resolve("model.onnx")), threads);
    }

    static OnnxRuntimeMiniLm int8(int threads) throws IOException, OrtException {
        return new OnnxRuntimeMiniLm(MiniLm.int8File(), threads);
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

    @Override
    public String version() {
        return environment.getVersion();
    }

    @Override
    public String setting() {
        return "optimisation level all, " + threads + " intra-op and 1 inter-op, arena on, session and buffers reused";
    }

    @Override
    public TokenEncoder encoder(List<TokenBatch> batches) {
        try {
            return new Batches(batches);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private final class Batches implements TokenEncoder {
        private final List<TokenBatch> batches;
        private final List<Map<String, OnnxTensor>> inputs = new ArrayList<>();
        private final List<Map<String, OnnxTensor>> outputs = new ArrayList<>();
        private final FloatBuffer hidden;
        private final MeanPooling pooling;

        Batches(List<TokenBatch> batches) throws OrtException {
            this.batches = batches;
            int most = batches.stream().mapToInt(batch -> batch.sequences() * batch.longest()).max().orElseThrow();
            hidden = direct(most * DIMENSION * Float.BYTES).asFloatBuffer();
            pooling = new MeanPooling(batches.stream().mapToInt(TokenBatch::sequences).max().orElseThrow());
            for (TokenBatch batch : batches) {
                inputs.add(inputs(batch));
                long[] shape = {batch.sequences(), batch.longest(), DIMENSION};
                FloatBuffer part = hidden.slice(0, batch.sequences() * batch.longest() * DIMENSION);
                outputs.add(Map.of(output, OnnxTensor.createTensor(environment, part, shape)));
            }
        }

        /** Token ids and their mask, [sequences, longest], with zeros where a text is shorter. */
        private Map<String, OnnxTensor> inputs(TokenBatch batch) throws OrtException {
            int longest = batch.longest();
            long[] ids = new long[batch.sequences() * longest];
            long[] mask = new long[ids.length];
            for (int sequence = 0; sequence < batch.sequences(); sequence++) {
                for (int i = 0; i < batch.length(sequence); i++) {
                    ids[sequence * longest + i] = batch.ids()[batch.offsets()[sequence] + i];
                    mask[sequence * longest + i] = 1;
                }
            }
            long[] shape = {batch.sequences(), longest};
            return Map.of("input_ids", tensor(ids, shape), "attention_mask", tensor(mask, shape),
                    "token_type_ids", tensor(new long[ids.length], shape));
        }

        private OnnxTensor tensor(long[] values, long[] shape) throws OrtException {
            LongBuffer buffer = direct(values.length * Long.BYTES).asLongBuffer().put(values).flip();
            return OnnxTensor.createTensor(environment, buffer, shape);
        }

        @Override
        public void encode(int batch) {
            try (var _ = session.run(inputs.get(batch), Set.of(), outputs.get(batch))) {
                pooling.pool(hidden, batches.get(batch));
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public float[] vectors() {
            return pooling.vectors();
        }
    }
}
