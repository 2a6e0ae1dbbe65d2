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
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Starts each side again and again, in turn with the others. */
final class StartJob implements Job {
    /** Equal for all; DJL reports its use over the network otherwise. */
    private static final List<String> FLAGS = List.of("-Xmx1g", "-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true");

    private final boolean cached;
    private final int starts;
    private final Map<String, String> work;

    /**
     * {@code starts} of each side are measured, after one that fills the caches of files and of the side.
     *
     * @param cached whether that one also writes an AOT cache of the JVM (JEP 483, JEP 514), which the others use
     */
    StartJob(boolean cached, int starts) {
        this.cached = cached;
        this.starts = starts;
        this.work = Map.of("JVM", cached ? StartSuite.AOT_CACHE : StartSuite.DEFAULTS);
    }

    @Override
    public String name() {
        return cached ? "first-vector-aot-cache" : "first-vector";
    }

    @Override
    public int estimatedSeconds() {
        return (int) Math.ceil(2 + (starts + 1) * StartSuite.SIDES.size() * 1.6);
    }

    @Override
    public void run(Findings findings) throws Exception {
        Path model = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        float[] reference = reference();
        Path caches = Files.createTempDirectory("fovea-start");
        try {
            Map<String, Side> sides = new LinkedHashMap<>();
            for (String name : StartSuite.SIDES) {
                try {
                    Side side = new Side(name, SideJars.of(name), model, caches.resolve(sides.size() + ".aot"));
                    findings.version(name, side.jars.version());
                    findings.setting(name, "default options, " + String.join(" ", FLAGS));
                    if (agrees(name, side.prepare(findings), reference, findings)) {
                        sides.put(name, side);
                    }
                } catch (IllegalStateException e) {
                    findings.absent(name, e.getMessage());
                }
            }
            Map<String, List<Start>> measured = new LinkedHashMap<>();
            for (int i = 0; i < starts; i++) {
                for (Side side : sides.values()) {
                    measured.computeIfAbsent(side.name, _ -> new ArrayList<>()).add(side.start(findings));
                }
            }
            for (Side side : sides.values()) {
                report(side.name, measured.get(side.name), findings);
                if (!cached) {
                    findings.measured(new Measurement(side.name, work, "jars", List.of(side.jars.megabytes())));
                }
            }
        } finally {
            // A JVM that failed to make a cache leaves other files.
            try (DirectoryStream<Path> files = Files.newDirectoryStream(caches)) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(caches);
        }
    }

    /** What starts one side. */
    private final class Side {
        final String name;
        final SideJars jars;
        private final Path model;
        private final Path cache;

        Side(String name, SideJars jars, Path model, Path cache) {
            this.name = name;
            this.jars = jars;
            this.model = model;
            this.cache = cache;
        }

        /** The start that is not measured. */
        Start prepare(Findings findings) throws IOException, InterruptedException {
            for (String entry : jars.classPath().split(File.pathSeparator)) {
                if (cached && Files.isDirectory(Path.of(entry))) {
                    throw new IllegalStateException("the JVM makes an AOT cache of jars alone, got " + entry);
                }
            }
            return start(cached ? "-XX:AOTCacheOutput=" + cache : null, findings);
        }

        Start start(Findings findings) throws IOException, InterruptedException {
            return start(cached ? "-XX:AOTCache=" + cache : null, findings);
        }

        private Start start(String flag, Findings findings) throws IOException, InterruptedException {
            List<String> flags = new ArrayList<>(FLAGS);
            if (flag != null) {
                flags.add(flag);
            }
            Start start = new Start();
            long started = System.nanoTime();
            new ChildJvm(StartMain.class).withClassPath(jars.classPath()).run(name, work, flags,
                    List.of(name, model.toString()), findings, line -> start.line(line, started));
            return start;
        }
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

    /** The vector by plain Java. */
    private static float[] reference() throws IOException {
        EngineOptions engine = EngineOptions.defaults().withBackend(Backend.JAVA);
        try (TextEncoder encoder =
                TextEncoder.load("all-minilm-l6-v2", EncoderOptions.defaults().withEngineOptions(engine))) {
            return encoder.encode(StartMain.TEXT);
        }
    }

    private boolean agrees(String side, Start start, float[] reference, Findings findings) {
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
            findings.refused(side, work, e.getMessage());
            return false;
        }
    }

    private void report(String side, List<Start> starts, Findings findings) {
        List<Double> resident = starts.stream().map(start -> start.resident).filter(size -> size != null).toList();
        List<Double> firstVectors = starts.stream().map(start -> start.firstVector).toList();
        findings.measured(new Measurement(side, work, "start", firstVectors));
        findings.measured(new Measurement(side, work, "load", starts.stream().map(start -> start.loaded).toList()));
        if (!resident.isEmpty()) {
            findings.measured(new Measurement(side, work, "rss", resident));
        }
    }
}
