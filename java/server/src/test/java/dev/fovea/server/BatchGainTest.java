package dev.fovea.server;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderSession;
import dev.fovea.model.TextEncoder;
import dev.fovea.text.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The most that gathering texts can give here: tokens per second of all cores, each with texts one after the other, and with
 * batches, without a server. {@code -Dfovea.measure=SECONDS} measures for so long a side and length.
 */
@EnabledIfSystemProperty(named = "fovea.measure", matches = "[0-9.]+")
class BatchGainTest {
    private static final double SECONDS = Double.parseDouble(System.getProperty("fovea.measure", "1"));
    private static final int ROUNDS = 9;
    private static final int[] BATCHES = {1, 64, 128, 256, 1024};
    private static final int CORES = Runtime.getRuntime().availableProcessors();

    @Test
    void shouldSayWhatGatheringCanGive() throws Exception {
        EncoderOptions alone = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        try (TextEncoder encoder = TextEncoder.load(TestServer.EMBEDDER, alone);
                ExecutorService threads = Executors.newFixedThreadPool(CORES)) {
            for (int[] words : new int[][] {{3, 6}, {10, 14}, {3, 120}}) {
                List<int[]> texts = Load.texts(400, words[0], words[1]).stream().map(text -> read(encoder.tokenizer(), text)).toList();
                double[][] rates = new double[BATCHES.length][ROUNDS];
                for (int round = -1; round < ROUNDS; round++) { // the first warms up
                    for (int side = 0; side < BATCHES.length; side++) {
                        rates[side][Math.max(0, round)] = rate(encoder, threads, batches(texts, BATCHES[side]));
                    }
                }
                System.out.printf(Locale.ROOT, "%d to %d words, %.1f tokens a text%n", words[0], words[1],
                        texts.stream().mapToInt(text -> text.length).average().orElseThrow());
                for (int side = 0; side < BATCHES.length; side++) {
                    double[] sorted = rates[side].clone();
                    Arrays.sort(sorted);
                    System.out.printf(Locale.ROOT, "  %4d tokens a batch: %.0f tokens/s%n", BATCHES[side], sorted[ROUNDS / 2]);
                }
            }
        }
    }

    /** The ids of a text, and of the special tokens around it. */
    private static int[] read(Tokenizer tokenizer, String text) {
        return IntStream.concat(IntStream.of(tokenizer.prefix()),
                IntStream.concat(IntStream.of(tokenizer.encode(text)), IntStream.of(tokenizer.suffix()))).toArray();
    }

    /** Texts in their order, as many in a batch as it has room for, but at least one. */
    private static List<List<int[]>> batches(List<int[]> texts, int tokens) {
        List<List<int[]>> all = new ArrayList<>();
        int room = 0;
        for (int[] text : texts) {
            if (text.length > room) {
                all.add(new ArrayList<>());
                room = tokens;
            }
            all.getLast().add(text);
            room -= text.length;
        }
        return all;
    }

    /** Tokens per second of all cores together. */
    private static double rate(TextEncoder encoder, ExecutorService threads, List<List<int[]>> batches) throws Exception {
        var start = new CyclicBarrier(CORES);
        List<Future<Double>> rates = new ArrayList<>();
        for (int core = 0; core < CORES; core++) {
            int first = core * 7;
            rates.add(threads.submit(() -> {
                try (EncoderSession session = encoder.newSession(); Arena arena = Arena.ofConfined()) {
                    MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, 400L * encoder.dimension());
                    encode(session, batches.get(first % batches.size()), out);
                    start.await();
                    long begin = System.nanoTime();
                    long tokens = 0;
                    for (int i = first; System.nanoTime() - begin < SECONDS / ROUNDS * 1e9; i++) {
                        tokens += encode(session, batches.get(i % batches.size()), out);
                    }
                    return tokens * 1e9 / (System.nanoTime() - begin);
                }
            }));
        }
        double sum = 0;
        for (Future<Double> rate : rates) {
            sum += rate.get();
        }
        return sum;
    }

    private static int encode(EncoderSession session, List<int[]> texts, MemorySegment out) {
        int[] offsets = new int[texts.size() + 1];
        for (int i = 0; i < texts.size(); i++) {
            offsets[i + 1] = offsets[i] + texts.get(i).length;
        }
        int[] ids = new int[offsets[texts.size()]];
        for (int i = 0; i < texts.size(); i++) {
            System.arraycopy(texts.get(i), 0, ids, offsets[i], texts.get(i).length);
        }
        session.encode(texts.size(), MemorySegment.ofArray(ids), MemorySegment.ofArray(offsets), out);
        return ids.length;
    }
}
