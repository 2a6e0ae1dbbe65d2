package dev.fovea.model;

import dev.fovea.EngineOptions;
import dev.fovea.tensor.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** The program of {@link GeneratorSoakTest}. */
final class GeneratorSoak {
    private static final int CALLERS = 8;
    private static final int CONTEXT = 512;
    private static final int[] PROMPT = new Random(1).ints(CONTEXT, 0, 31).toArray();
    private static final SamplingOptions KNOWN = SamplingOptions.sampling(1, 5).withMaxTokens(20).withIgnoresEnd(true);

    private final Path path;
    private final AtomicReference<TextGenerator> model = new AtomicReference<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicLongArray begun = new AtomicLongArray(CALLERS);
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger cut = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private int depth;
    private int overflows;

    private GeneratorSoak(Path path) {
        this.path = path;
    }

    /** Arguments: {@code calls} or {@code stack}, a model's directory, and seconds. */
    public static void main(String[] arguments) throws Exception {
        var soak = new GeneratorSoak(Path.of(arguments[1]));
        if (arguments[0].equals("calls")) {
            soak.call(Integer.parseInt(arguments[2]));
        } else {
            soak.overflow();
        }
    }

    private TextGenerator load() throws Exception {
        return TextGenerator.load(path, GeneratorOptions.defaults().withContext(CONTEXT).withCacheTokens(1500).withConcurrency(4)
                .withQueue(2).withCache(DType.F32).withEngineOptions(EngineOptions.defaults().withThreads(2))
                .withSpeculation(Speculation.promptLookup(3)));
    }

    private void call(int seconds) throws Exception {
        model.set(load());
        int[] known = model.get().generate(Arrays.copyOf(PROMPT, 200), KNOWN).tokens();
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        Thread[] callers = new Thread[CALLERS];
        for (int i = 0; i < CALLERS; i++) {
            int caller = i;
            begun.set(caller, System.nanoTime());
            callers[i] = Thread.ofPlatform().daemon().start(() -> {
                var random = new Random(caller);
                try {
                    while (System.nanoTime() < end && failure.get() == null) {
                        begun.set(caller, System.nanoTime());
                        once(random, known);
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            });
        }
        long warm = 0;
        while (System.nanoTime() < end && failure.get() == null) {
            Thread.sleep(200);
            if (random(callers)) {
                callers[(int) (System.nanoTime() & 7)].interrupt();
            }
            for (int i = 0; i < CALLERS; i++) {
                if (System.nanoTime() - begun.get(i) > Duration.ofSeconds(60).toNanos()) {
                    throw new AssertionError("a request is stuck in " + Arrays.toString(callers[i].getStackTrace()));
                }
            }
            if (warm == 0 && end - System.nanoTime() < Duration.ofSeconds(seconds).toNanos() * 2 / 3) {
                warm = residentKib();
            }
        }
        for (Thread caller : callers) {
            caller.join(60_000);
            if (caller.isAlive()) {
                throw new AssertionError("a request is stuck in " + Arrays.toString(caller.getStackTrace()));
            }
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
        System.out.println(answers + " answers, " + cut + " cut, " + refused + " refused");
        System.out.println(residentKib() - warm);
    }

    private static boolean random(Thread[] callers) {
        return callers.length > 0 && System.nanoTime() % 3 == 0;
    }

    private void once(Random random, int[] known) throws Exception {
        int what = random.nextInt(1000);
        TextGenerator current = model.get();
        if (what == 0) { // somebody closes it while others are inside
            TextGenerator next = load();
            if (model.compareAndSet(current, next)) {
                current.close();
            } else {
                next.close();
            }
            return;
        }
        try {
            if (what < 100) {
                GeneratedText text = current.generate(Arrays.copyOf(PROMPT, 200), KNOWN);
                if (!Arrays.equals(Arrays.copyOf(known, text.tokens().length), text.tokens())) {
                    throw new AssertionError("another text: " + Arrays.toString(text.tokens()));
                }
            } else {
                int[] prompt = Arrays.copyOf(PROMPT, 1 + random.nextInt(400));
                prompt[random.nextInt(prompt.length)] = random.nextInt(31);
                var options = SamplingOptions.sampling(1, random.nextLong()).withMaxTokens(1 + random.nextInt(150));
                var request = RequestOptions.defaults().withPriority(random.nextInt(2));
                if (what < 200) {
                    request = request.withTimeLimit(Duration.ofMillis(random.nextInt(20)));
                }
                int enough = what < 400 ? random.nextInt(20) : Integer.MAX_VALUE;
                int[] heard = {0};
                GeneratedText text = current.generate(prompt, options, request, (_, _) -> heard[0]++ < enough);
                boolean whole = text.finish() != GeneratedText.Finish.CANCELLED && text.finish() != GeneratedText.Finish.TIMEOUT;
                (whole ? answers : cut).incrementAndGet();
            }
        } catch (RejectedExecutionException e) {
            refused.incrementAndGet();
            LockSupport.parkNanos(1_000_000);
        } catch (IllegalStateException e) {
            if (!e.getMessage().endsWith("is closed")) {
                throw e;
            }
        }
        Thread.interrupted();
    }

    private static long residentKib() throws Exception {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
    }

    /** Answers where ever less of the stack is left, and again where there is enough. */
    private void overflow() throws Exception {
        model.set(load());
        int[] prompt = Arrays.copyOf(PROMPT, 20);
        int[] known = model.get().generate(prompt, KNOWN).tokens();
        for (int i = 0; i < 100; i++) { // what a first call initialises would be spoilt by an overflow there
            model.get().generate(prompt, KNOWN, (_, _) -> true);
        }
        deep(Integer.MAX_VALUE, prompt);
        int deepest = depth;
        for (int frames = Math.max(0, deepest - 700); frames < deepest; frames += 7) {
            deep(frames, prompt);
            if (!Arrays.equals(known, model.get().generate(prompt, KNOWN).tokens())) {
                throw new AssertionError("another text after " + frames + " frames");
            }
        }
        System.out.println(overflows + " overflows, the same afterwards");
        System.out.println(0);
    }

    private void deep(int frames, int[] prompt) throws Exception {
        depth = 0;
        Thread thread = new Thread(null, () -> {
            try {
                deeper(frames, prompt);
            } catch (StackOverflowError e) {
                overflows++;
            }
        }, "deep", 512 << 10);
        thread.start();
        thread.join(60_000);
        if (thread.isAlive()) {
            throw new AssertionError("stuck in " + Arrays.toString(thread.getStackTrace()));
        }
    }

    private void deeper(int frames, int[] prompt) {
        depth++;
        if (frames > 0) {
            deeper(frames - 1, prompt);
        } else {
            model.get().generate(prompt, KNOWN);
        }
    }
}
