package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Suite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs every benchmark once, as {@code ./fovea bench --smoke} does. */
class SmokeTest {
    /** The sides of others, of which each must be measured or say why not. */
    private static final Map<String, List<String>> PEERS = Map.ofEntries(
            Map.entry("attention", List.of("OpenBLAS unfused", "PyTorch SDPA")),
            Map.entry("linear", List.of("OpenBLAS")),
            Map.entry("calls", List.of("JNI")),
            Map.entry("encode", List.of("ONNX Runtime fp32", "ONNX Runtime int8")),
            Map.entry("gpu", List.of("Fovea CUDA bf16", "ONNX Runtime fp32")),
            Map.entry("text", List.of("LangChain4j")),
            Map.entry("adapters", List.of("LangChain4j")),
            Map.entry("throughput", List.of("ONNX Runtime one by one")),
            Map.entry("rerank", List.of("ONNX Runtime one by one")),
            Map.entry("load", List.of("ONNX Runtime fp32")),
            Map.entry("start", List.of("LangChain4j")),
            Map.entry("decode", List.of("llama.cpp, flash attention", "llama.cpp, without")));

    @Test
    void shouldMeasureEverySideOrSayWhyItIsAbsent(@TempDir Path out) throws IOException {
        BenchRun run = BenchRun.of(Suites.all(), "--smoke", "--out", out.toString());
        assertEquals(0, run.status(), () -> run.err() + log(out));

        RawResults results = RawResults.open(out, Circumstances.here(Effort.SMOKE));
        String page = Files.readString(out.resolve("report.html"));
        for (Map.Entry<Suite, List<JobRecord>> suite :
                new Schedule(Suites.all(), Effort.SMOKE, results, "").records().entrySet()) {
            Map<String, Side> sides = new HashMap<>();
            for (JobRecord record : suite.getValue()) {
                String job = record.suite() + " " + record.job();
                assertEquals(List.of(), record.refusals(), job);
                assertFalse(record.sides().isEmpty(), job);
                record.sides().forEach((name, side) -> assertTrue(isMeasured(record, name) || isAbsent(side),
                        job + ": " + name + " is neither measured nor absent"));
                sides.putAll(record.sides());
            }
            String name = suite.getKey().name();
            assertTrue(sides.keySet().containsAll(PEERS.get(name)), name + " has " + sides.keySet());
            assertFalse(page.contains("..</text>"), name + " has a label that is cut off");
            assertTrue(page.contains("<section id=\"" + name + "\">"), name);
        }
    }

    private static boolean isMeasured(JobRecord record, String side) {
        return record.measurements().stream().anyMatch(measurement -> measurement.side().equals(side)
                && measurement.samples().stream().allMatch(sample -> Double.isFinite(sample) && sample >= 0));
    }

    private static boolean isAbsent(Side side) {
        return side.absent() != null && !side.absent().isBlank();
    }

    private static String log(Path out) {
        try {
            return Files.readString(out.resolve("bench.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
