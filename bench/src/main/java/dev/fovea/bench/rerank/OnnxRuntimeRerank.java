package dev.fovea.bench.rerank;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.fovea.text.ModelInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * ONNX Runtime at its best from Java: a session with all its optimisations and its arena, token ids padded beforehand,
 * and of the usual sizes of batches the one that is fastest on this work.
 */
final class OnnxRuntimeRerank implements RerankSide {
    private static final List<Integer> SIZES = List.of(8, 16, 32, 100);

    /** Padded passages, and which they are. */
    private record Padded(Map<String, OnnxTensor> tensors, List<Integer> passages) {}

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final int threads;
    private final List<ModelInput> inputs;
    private List<Padded> batches;
    private int size;

    private OnnxRuntimeRerank(Work work, int threads) throws IOException, OrtException {
        this.threads = threads;
        this.inputs = work.inputs();
        try (var options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            session = environment.createSession(work.directory().resolve("model.onnx").toString(), options);
        }
    }

    static OnnxRuntimeRerank load(String side, Work work, int threads) throws IOException, OrtException {
        var loaded = new OnnxRuntimeRerank(work, threads);
        List<Integer> order = new ArrayList<>(IntStream.range(0, work.passages().size()).boxed().toList());
        if (side.equals(SORTED)) {
            order.sort(Comparator.comparing(i -> loaded.inputs.get(i).ids().length));
        }
        loaded.choose(order, side.equals(SINGLE) ? List.of(1) : SIZES);
        return loaded;
    }

    /** Takes the size that scores all passages in the shortest time. */
    private void choose(List<Integer> order, List<Integer> sizes) throws OrtException {
        List<Padded> best = null;
        int bestSize = 0;
        long shortest = Long.MAX_VALUE;
        for (int candidate : sizes) {
            if (best != null && candidate >= 2 * order.size()) {
                continue; // the same single batch
            }
            batches = padded(order, candidate);
            score(batches.subList(0, 1));
            long start = System.nanoTime();
            score(batches);
            long taken = System.nanoTime() - start;
            if (taken < shortest) {
                shortest = taken;
                best = batches;
                bestSize = candidate;
            }
        }
        batches = best;
        size = bestSize;
    }

    private List<Padded> padded(List<Integer> order, int size) throws OrtException {
        List<Padded> all = new ArrayList<>();
        for (int from = 0; from < order.size(); from += size) {
            all.add(padded(order.subList(from, Math.min(from + size, order.size()))));
        }
        return all;
    }

    private Padded padded(List<Integer> passages) throws OrtException {
        int longest = passages.stream().mapToInt(i -> inputs.get(i).ids().length).max().orElseThrow();
        long[] ids = new long[passages.size() * longest];
        long[] mask = new long[ids.length];
        long[] types = new long[ids.length];
        for (int row = 0; row < passages.size(); row++) {
            ModelInput input = inputs.get(passages.get(row));
            for (int i = 0; i < input.ids().length; i++) {
                ids[row * longest + i] = input.ids()[i];
                mask[row * longest + i] = 1;
                types[row * longest + i] = input.types()[i];
            }
        }
        long[] shape = {passages.size(), longest};
        return new Padded(Map.of("input_ids", tensor(ids, shape), "attention_mask", tensor(mask, shape),
                "token_type_ids", tensor(types, shape)), List.copyOf(passages));
    }

    private OnnxTensor tensor(long[] values, long[] shape) throws OrtException {
        LongBuffer buffer = ByteBuffer.allocateDirect(values.length * Long.BYTES).order(ByteOrder.nativeOrder())
                .asLongBuffer().put(values).flip();
        return OnnxTensor.createTensor(environment, buffer, shape);
    }

    @Override
    public float[] score() {
        try {
            return score(batches);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    private float[] score(List<Padded> batches) throws OrtException {
        float[] scores = new float[inputs.size()];
        for (Padded batch : batches) {
            try (OrtSession.Result result = session.run(batch.tensors())) {
                float[][] rows = (float[][]) result.get(0).getValue();
                for (int row = 0; row < rows.length; row++) {
                    scores[batch.passages().get(row)] = rows[row][0];
                }
            }
        }
        return scores;
    }

    @Override
    public String setting() {
        return "optimisation level all, " + threads + " intra-op and 1 inter-op, arena on, "
                + "session reused, batches of " + size;
    }
}
