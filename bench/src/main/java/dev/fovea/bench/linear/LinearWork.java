package dev.fovea.bench.linear;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One layer to compute: out [rows, outputs] = x [rows, inputs] · weight [outputs, inputs]ᵀ.
 *
 * @param rows tokens
 * @param allThreads whether a call may use all processors, or one thread
 */
record LinearWork(int rows, int outputs, int inputs, boolean allThreads) {
    static final String ROWS = "m";
    static final String OUTPUTS = "n";
    static final String INPUTS = "k";
    static final String THREADS = "threads";

    /** As the parameters of a benchmark. */
    Map<String, String> parameters() {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put(OUTPUTS, Integer.toString(outputs));
        parameters.put(INPUTS, Integer.toString(inputs));
        parameters.put(ROWS, Integer.toString(rows));
        parameters.put(THREADS, allThreads ? "all" : "1");
        return parameters;
    }

    /** Such as {@code m16-n1536-k384-1thread}. */
    String name() {
        return "m" + rows + "-n" + outputs + "-k" + inputs + (allThreads ? "-allthreads" : "-1thread");
    }

    /** Threads of a call. */
    int threads() {
        return allThreads ? Runtime.getRuntime().availableProcessors() : 1;
    }

    /** Operations, a multiply-add counting two. */
    double flops() {
        return 2.0 * rows * outputs * inputs;
    }
}
