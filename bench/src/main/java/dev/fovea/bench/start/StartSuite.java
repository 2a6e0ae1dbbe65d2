package dev.fovea.bench.start;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.List;
import java.util.Map;

/** What it costs to have a first vector: time, memory, jars. */
public final class StartSuite implements Suite {
    static final String FOVEA = "Fovea";
    static final String ONNX_RUNTIME = "ONNX Runtime and tokenizers";
    static final String LANGCHAIN4J = "LangChain4j";
    static final String DEFAULTS = "default options";
    static final String AOT_CACHE = "with an AOT cache";
    static final List<String> SIDES = List.of(FOVEA, ONNX_RUNTIME, LANGCHAIN4J);

    private static final Metric START = new Metric("start", "process start to first vector", "ms", true);
    private static final Metric LOAD = new Metric("load", "load to first vector", "ms", true);
    private static final Metric RSS = new Metric("rss", "resident memory after the first vector", "MB", true);
    private static final Metric JARS = new Metric("jars", "jars, without the model", "MB", true);

    @Override
    public String name() {
        return "start";
    }

    @Override
    public String title() {
        return "From the start of the process to the first vector: time, memory, jars";
    }

    @Override
    public String reading() {
        return "Each side is a small program that loads all-MiniLM-L6-v2 and gives the vector of one sentence, "
                + "with its default options, in a JVM of 1 GB whose class path holds that side's jars alone. The "
                + "time from the start of the process counts until its parent reads the vector; the other one "
                + "begins in main. The first start of a side is not measured: it fills the caches of the files, "
                + "Fovea's of the model and DJL's of the tokenizer, and writes an AOT cache where one is used: the "
                + "JVM's own record of classes loaded and methods run (JEP 483, JEP 514, JEP 515), which an "
                + "application's packaging makes with -XX:AOTCacheOutput. LangChain4j reads the model from its jar each "
                + "time; Fovea maps its file, of which the resident memory counts the pages that were read; ONNX "
                + "Runtime reads it. Jars are counted without the model, and with all that Maven brings along: "
                + "Fovea's native jar is for one platform, those of ONNX Runtime and of the tokenizers, which all "
                + "sides use, are for several. Vectors have a cosine of at least 0.9999 to that of plain Java.";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        int starts = switch (effort) {
            case SMOKE -> 1;
            case QUICK -> 3;
            case FULL -> 15;
        };
        return List.of(new StartJob(false, starts), new StartJob(true, starts));
    }

    @Override
    public List<Table> tables() {
        return List.of(table("Process start to first vector", START), table("Load to first vector", LOAD),
                table("Resident memory after the first vector", RSS), table("Size of the jars", JARS));
    }

    private static Table table(String title, Metric metric) {
        return new Table(title, metric, List.of("JVM"), Map.of(), SIDES, FOVEA);
    }

    @Override
    public List<Figure> figures() {
        return List.of(figure("Process start to first vector", START), figure("Load to first vector", LOAD),
                figure("Resident memory", RSS), figure("Size of the jars", JARS));
    }

    private static Figure figure(String title, Metric metric) {
        return new Figure(title, metric, Figure.Kind.GROUPS, "JVM", "JVM", false, Map.of(), SIDES);
    }
}
