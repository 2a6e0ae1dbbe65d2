package dev.fovea.bench.start;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.bench.study.ChildJvm;
import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Verdict;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Starts each side again and again, in turn with the others. */
final class StartJob implements Job {
    /** Equal for all; DJL reports its use over the network otherwise. */
    private static final List<String> FLAGS = List.of("-Xmx1g", "-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true");

    private static final Map<String, String> WORK = Map.of("model", "all-MiniLM-L6-v2");

    private final int starts;

    /** {@code starts} of each side are measured, after one that fills the caches of files and of the side. */
    StartJob(int starts) {
        this.starts = starts;
    }

    @Override
    public String name() {
        return "first-vector";
    }

    @Override
    public int estimatedSeconds() {
        return (int) Math.ceil(2 + (starts + 1) * StartSuite.SIDES.size() * 1.6);
    }

    @Override
    public void run(Findings findings) throws Exception {
        Path model = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        float[] reference = reference();
        Map<String, SideJars> sides = new LinkedHashMap<>();
        for (String side : StartSuite.SIDES) {
            try {
                SideJars jars = SideJars.of(side);
                findings.version(side, jars.version());
                findings.setting(side, "default options, " + String.join(" ", FLAGS));
                if (agrees(side, start(side, jars, model, findings), reference, findings)) {
                    sides.put(side, jars);
                    findings.measured(new Measurement(side, WORK, "jars", List.of(jars.megabytes())));
                }
            } catch (IllegalStateException e) {
                findings.absent(side, e.getMessage());
            }
        }
        Map<String, List<Start>> measured = new LinkedHashMap<>();
        for (int i = 0; i < starts; i++) {
            for (String side : sides.keySet()) {
                Start start = start(side, sides.get(side), model, findings);
                measured.computeIfAbsent(side, _ -> new ArrayList<>()).add(start);
            }
        }
        measured.forEach((side, list) -> report(side, list, findings));
    }

    /** One start; what was not said is {@code null}. */
    private static final class Start {
        float[] vector;
        Double firstVector;
        Double loaded;
        Double resident;

        void line(String line, long started) {
            if (line.startsWith(StartMain.VECTOR)) {
                firstVector = (System.nanoTime() - started) * 1e-6;
                vector = floats(line.substring(StartMain.VECTOR.length()));
            } else if (line.startsWith(StartMain.LOADED)) {
                loaded = Double.valueOf(line.substring(StartMain.LOADED.length()));
            } else if (line.startsWith(StartMain.RESIDENT)) {
                resident = Double.valueOf(line.substring(StartMain.RESIDENT.length()));
            }
        }

        private static float[] floats(String array) {
            String[] numbers = array.substring(1, array.length() - 1).split(", ");
            float[] floats = new float[numbers.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = Float.parseFloat(numbers[i]);
            }
            return floats;
        }
    }

    private static Start start(String side, SideJars jars, Path model, Findings findings)
            throws IOException, InterruptedException {
        Start start = new Start();
        long started = System.nanoTime();
        new ChildJvm(StartMain.class).withClassPath(jars.classPath()).run(side, WORK, FLAGS,
                List.of(side, model.toString()), findings, line -> start.line(line, started));
        return start;
    }

    /** The vector by plain Java. */
    private static float[] reference() throws IOException {
        EngineOptions engine = EngineOptions.defaults().withBackend(Backend.JAVA);
        try (TextEncoder encoder =
                TextEncoder.load("all-minilm-l6-v2", EncoderOptions.defaults().withEngineOptions(engine))) {
            return encoder.encode(StartMain.TEXT);
        }
    }

    private static boolean agrees(String side, Start start, float[] reference, Findings findings) {
        if (start.vector == null) {
            return false;
        }
        if (findings.sabotaged(side)) {
            start.vector[0] += 1;
        }
        try {
            Verdict.agreeByCosine(reference, start.vector, reference.length, 0.9999);
            return true;
        } catch (Verdict.NotTimed e) {
            findings.refused(side, WORK, e.getMessage());
            return false;
        }
    }

    private static void report(String side, List<Start> starts, Findings findings) {
        List<Double> resident = starts.stream().map(start -> start.resident).filter(size -> size != null).toList();
        List<Double> firstVectors = starts.stream().map(start -> start.firstVector).toList();
        findings.measured(new Measurement(side, WORK, "start", firstVectors));
        findings.measured(new Measurement(side, WORK, "load", starts.stream().map(start -> start.loaded).toList()));
        if (!resident.isEmpty()) {
            findings.measured(new Measurement(side, WORK, "rss", resident));
        }
    }
}
