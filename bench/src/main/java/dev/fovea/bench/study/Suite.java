package dev.fovea.bench.study;

import java.util.List;

/** One comparison study: what stands side by side, on which work, and how the report shows it. */
public interface Suite {
    /** The name on the command line, such as {@code attention}. */
    String name();

    /** One line for people, such as {@code Fused attention against unfused, Java and PyTorch}. */
    String title();

    /** What the reader should know: what is timed, what not, and what each side is. A few sentences of plain text. */
    String reading();

    /** The jobs, in the order in which they run. */
    List<Job> jobs(Effort effort);

    /** The tables of the report. */
    List<Table> tables();

    /** The plots of the report. */
    List<Figure> figures();
}
