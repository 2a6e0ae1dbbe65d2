package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A token makes no garbage once all is compiled, whatever is asked for beside it, with three callers who lead in turn. */
class GenerationAllocationTest {
    private static final int ROUNDS = 60;
    private static final int TOKENS = 400;
    private static final int FROM = 100;
    private static final int TO = 350;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void write() throws IOException {
        TinyGenerator.write(directory, 1);
    }

    static Stream<String> ways() {
        return all().keySet().stream();
    }

    private static Map<String, SamplingOptions> all() {
        var free = SamplingOptions.sampling(0.9f, 1).withMaxTokens(TOKENS).withIgnoresEnd(true);
        var formed = SamplingOptions.sampling(0.9f, 1).withMaxTokens(TOKENS);
        Map<String, SamplingOptions> ways = new LinkedHashMap<>();
        ways.put("drawn from few, penalties, biases", free.withTopK(20).withTopP(0.9f).withMinP(0.01f).withTypicalP(0.9f)
                .withPenalties(1.1f, 0.1f, 0.1f).withLogitBias(Map.of(3, 1f, 4, -1f, 5, Float.NEGATIVE_INFINITY)));
        // Both at once are told to the listener, in objects.
        ways.put("stop texts, log probabilities", free.withStops("\u0000never", "never", "no no no").withLogProbabilities(true));
        ways.put("alternatives", free.withAlternatives(5));
        ways.put("regular expression", formed.withFormat(OutputFormat.regex("[a-zé中 ]{1000,2000}")));
        ways.put("JSON, stop texts, alternatives", formed.withStops("\u0000never").withAlternatives(3)
                .withPenalties(1.05f, 0, 0.01f).withFormat(OutputFormat.jsonSchema(
                        "{\"type\": \"array\", \"items\": {\"type\": [\"string\", \"integer\"]}, \"minItems\": 500}")));
        ways.put("guesses, grammar", formed.withTemperature(0).withFormat(OutputFormat.grammar(
                "root ::= (\"yes \" | \"no \" | [a-z] \" \") root | \"end\"")).withLogitBias(Map.of(TinyGenerator.END, -100f)));
        return ways;
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("slow")
    void shouldMakeNoGarbageForAToken(String way) throws Exception {
        GeneratorOptions options = GeneratorOptions.defaults().withContext(1024).withEngineOptions(EngineOptions.defaults().withThreads(1));
        if (way.startsWith("guesses")) {
            options = options.withSpeculation(Speculation.promptLookup(3));
        }
        SamplingOptions sampling = all().get(way);
        try (var model = TextGenerator.load(directory, options); var callers = Executors.newFixedThreadPool(3)) {
            long bytes = -1;
            for (int round = 0; round < ROUNDS && bytes != 0; round++) { // until all is compiled
                List<Callable<Long>> calls = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    int own = i;
                    calls.add(() -> allocated(model, sampling, own));
                }
                bytes = 0;
                for (Future<Long> one : callers.invokeAll(calls)) {
                    bytes += one.get();
                }
            }
            assertEquals(0, bytes, "3 × " + (TO - FROM) + " tokens");
        }
    }

    private static long allocated(TextGenerator model, SamplingOptions sampling, int own) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] seen = new long[2];
        int[] count = {0};
        threads.getCurrentThreadAllocatedBytes();
        GeneratedText text = model.generate(new int[] {own + 3, 70, 71, 70, 71}, sampling.withSeed(own), (_, _) -> {
            count[0]++;
            if (count[0] == FROM || count[0] == TO) {
                seen[count[0] / TO] = threads.getCurrentThreadAllocatedBytes();
            }
            return true;
        });
        assertEquals(TOKENS, text.tokens().length, text.text());
        return seen[1] - seen[0];
    }
}
