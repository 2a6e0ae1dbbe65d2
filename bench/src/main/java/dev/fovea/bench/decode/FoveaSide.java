package dev.fovea.bench.decode;

import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Fovea's {@link TextGenerator}, which takes the likeliest token each time. */
final class FoveaSide implements DecoderSide {
    /** Above every logit. */
    private static final float CERTAIN = 1e6f;
    /** Room for the requests that are written at once. */
    private static final int LEAST_CACHE = 1024;

    private final TextGenerator model;

    FoveaSide(TextGenerator model) {
        this.model = model;
    }

    static FoveaSide load(Path file, int context, int threads) throws IOException {
        var engine = EngineOptions.defaults().withThreads(threads);
        return new FoveaSide(TextGenerator.load(file,
                GeneratorOptions.defaults().withContext(context).withCacheTokens(Math.max(2 * context, LEAST_CACHE))
                        .withEngineOptions(engine)));
    }

    /** The likeliest tokens behind a prompt. */
    int[] likeliest(int[] prompt, int count) {
        return model.generate(prompt, greedy(count)).tokens();
    }

    private static SamplingOptions greedy(int count) {
        return SamplingOptions.greedy().withMaxTokens(count).withIgnoresEnd(true);
    }

    @Override
    public float[] logProbabilities(int[] prompt, int[] tokens) {
        int[] text = Arrays.copyOf(prompt, prompt.length + tokens.length);
        float[] found = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            var options = greedy(1).withLogProbabilities(true).withLogitBias(Map.of(tokens[i], CERTAIN));
            found[i] = model.generate(Arrays.copyOf(text, prompt.length + i), options).logProbabilities()[0];
            text[prompt.length + i] = tokens[i];
        }
        return found;
    }

    @Override
    public long read(int[] prompt) {
        long started = System.nanoTime();
        model.generate(prompt, greedy(1));
        return System.nanoTime() - started;
    }

    @Override
    public long decode(int[] prompt, int count) {
        var first = new AtomicLong();
        var last = new AtomicLong();
        model.generate(prompt, greedy(count + 1), (_, token) -> {
            if (token >= 0) {
                last.set(System.nanoTime());
                first.compareAndSet(0, last.get());
            }
            return true;
        });
        return last.get() - first.get();
    }

    /** From when all have their first token to when one has its last. */
    @Override
    public double decodeTogether(int[][] prompts, int count) {
        var times = new long[prompts.length][count + 1];
        var written = new int[prompts.length];
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < prompts.length; i++) {
            int caller = i;
            callers.add(Thread.ofPlatform().start(() -> model.generate(prompts[caller], greedy(count + 1), (_, token) -> {
                if (token >= 0) {
                    times[caller][written[caller]++] = System.nanoTime();
                }
                return true;
            })));
        }
        try {
            for (Thread caller : callers) {
                caller.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        long allBegan = Arrays.stream(times).mapToLong(of -> of[0]).max().orElseThrow();
        long oneEnded = Arrays.stream(times).mapToLong(of -> of[count]).min().orElseThrow();
        boolean met = allBegan < oneEnded; // a few tokens of a very small model need not
        long from = met ? allBegan : Arrays.stream(times).mapToLong(of -> of[0]).min().orElseThrow();
        long to = met ? oneEnded : Arrays.stream(times).mapToLong(of -> of[count]).max().orElseThrow();
        long tokens = Arrays.stream(times).flatMapToLong(Arrays::stream).filter(time -> time > from && time <= to).count();
        return tokens * 1e9 / (to - from);
    }

    @Override
    public void close() {
        model.close();
    }
}
