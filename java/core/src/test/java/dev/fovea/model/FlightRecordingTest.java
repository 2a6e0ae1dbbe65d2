package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EngineOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What flight recordings have of Fovea, and that a JVM without the module, or one that does not record, has no part in it. */
class FlightRecordingTest {
    private static final Path DECODER = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "llama");

    @TempDir
    private Path directory;

    /** Loads a model and encodes a text. Argument: the model's directory. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) throws Exception {
            try (var encoder = TextEncoder.load(Path.of(arguments[0]));
                    var session = encoder.newSession()) {
                System.out.println(encoder.encode("w1 w2").length + " " + (session.workspaceBytes() > 0) + " "
                        + ModuleLayer.boot().findModule("jdk.jfr").isPresent());
            }
        }
    }

    @Test
    void shouldRecordLoadsEncodingsAndAnswers() throws Exception {
        Path tiny = new TinyModel(1).write(directory.resolve("tiny"));
        Path file = directory.resolve("fovea.jfr");
        var one = EngineOptions.defaults().withThreads(1);
        long weights;
        try (var recording = new Recording()) {
            recording.enable("dev.fovea.Load");
            recording.enable("dev.fovea.Encode").withThreshold(Duration.ZERO);
            recording.enable("dev.fovea.Generate").withThreshold(Duration.ZERO);
            recording.start();
            try (var encoder = TextEncoder.load(tiny, EncoderOptions.defaults().withEngineOptions(one)
                    .withLengthPolicy(LengthPolicy.ERROR))) {
                encoder.encodeAll(List.of("w1 w2", "w3"));
                encoder.encode("w4");
                assertThrows(IllegalArgumentException.class, () -> encoder.encode("w1 ".repeat(40)));
                weights = encoder.memory().weights();
            }
            assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(directory.resolve("none")));
            try (var model = TextGenerator.load(DECODER, GeneratorOptions.defaults().withEngineOptions(one))) {
                model.generate(new int[] {5, 9}, SamplingOptions.greedy().withMaxTokens(3).withIgnoresEnd(true));
            }
            recording.stop();
            recording.dump(file);
        }
        Map<String, List<RecordedEvent>> events = RecordingFile.readAllEvents(file).stream()
                .collect(Collectors.groupingBy(event -> event.getEventType().getName()));

        List<RecordedEvent> loads = events.get("dev.fovea.Load");
        assertEquals(List.of("tiny", "none", "llama"), loads.stream().map(event -> event.getString("model")).toList());
        assertEquals(tiny.toString(), loads.getFirst().getString("path"));
        assertEquals(weights, loads.getFirst().getLong("weights"));
        assertEquals(Files.size(tiny.resolve("model.safetensors")), loads.getFirst().getLong("mapped"));
        assertTrue(loads.getFirst().getString("engine").contains("1 thread"), loads.getFirst().getString("engine"));
        assertTrue(loads.get(1).getString("failure").contains("ModelNotFoundException"), loads.get(1).getString("failure"));
        assertTrue(loads.getFirst().getDuration().toNanos() > 0);

        List<RecordedEvent> encodings = events.get("dev.fovea.Encode");
        assertEquals(3, encodings.size());
        assertEquals("tiny 2 7", encodings.get(0).getString("model") + " " + encodings.get(0).getInt("sequences") + " "
                + encodings.get(0).getLong("tokens"));
        assertNull(encodings.get(0).getString("failure"));
        assertEquals(3, encodings.get(1).getLong("tokens"));
        assertTrue(encodings.get(1).getDuration().toNanos() > 0);
        assertFalse(encodings.get(1).getStartTime().isBefore(encodings.get(0).getEndTime()), "an event of its own");
        assertTrue(encodings.get(2).getString("failure").contains("IllegalArgumentException"));

        RecordedEvent answer = events.get("dev.fovea.Generate").getFirst();
        assertEquals("2 0 3", answer.getInt("promptTokens") + " " + answer.getInt("keptTokens") + " " + answer.getInt("writtenTokens"));
        assertTrue(answer.getDuration("firstTokenTime").toNanos() > 0);
    }

    @Test
    void shouldLoadNoClassOfRecordingsWhereNoOneRecords() throws Exception {
        Path tiny = new TinyModel(1).write(directory);
        String output = run(tiny, "-Xlog:class+load:file=" + directory.resolve("classes.txt"));
        assertTrue(output.contains("33 true true"), output);
        List<String> events = Files.readAllLines(directory.resolve("classes.txt")).stream()
                .filter(line -> line.contains("jdk.jfr.Event") || line.matches(".*dev\\.fovea\\.internal\\.flight\\.\\w+Event.*"))
                .toList();
        assertEquals(List.of(), events);
    }

    @Test
    void shouldRunWithoutTheModule() throws Exception {
        Path tiny = new TinyModel(1).write(directory);
        String output = run(tiny, "--limit-modules", "java.base,java.logging,java.sql,jdk.unsupported");
        assertTrue(output.contains("33 true false"), output);
    }

    private static String run(Path model, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), "-Dfovea.cache=" + System.getProperty("fovea.cache")));
        command.addAll(List.of(options));
        command.addAll(List.of(Program.class.getName(), model.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(5, TimeUnit.MINUTES));
        return output;
    }
}
