package dev.fovea.bench.study;

/** How much is measured. */
public enum Effort {
    /** One short iteration of the smallest work: that it runs at all. */
    SMOKE,
    /** All suites in under ten minutes on two cores: a coarse grid, few forks. */
    QUICK,
    /** The whole grid, several forks. */
    FULL
}
