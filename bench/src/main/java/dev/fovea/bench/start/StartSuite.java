package dev.fovea.bench.start;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.List;
import java.util.Map;

/** The cost of startup: time to the first vector, memory, jars. */
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
        return "Startup: time to the first vector, memory, size of the jars";
    }

    @Override
    public String reading() {
        return """
                Each side is a small program that loads all-MiniLM-L6-v2 with default options and returns the \
                vector of one sentence. Its JVM has 1 GB, and the class path holds only that side's jars. The \
                first time runs from process start until the parent process reads the vector. The second one \
                begins in main. The first run of a side is not measured. It fills the file cache, Fovea's model \
                cache and DJL's tokenizer cache. If an AOT cache is used, the first run also writes it: the JVM's \
                record of loaded classes and executed methods (JEP 483, JEP 514, JEP 515), which an application \
                creates with -XX:AOTCacheOutput when it is packaged. LangChain4j reads the model from its jar each \
                time. ONNX Runtime reads a file. Fovea maps its file; the resident memory counts the pages that \
                were read. Jars are counted without the model and with all dependencies. Fovea's native jar is for \
                one platform. The jars of ONNX Runtime and of the tokenizers, which all sides use, are for \
                several. All vectors have a cosine of at least 0.9999 to plain Java's.""";
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
