package dev.fovea.bench.attention;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One attention to compute: self-attention of one sequence.
 *
 * @param tokens queries, and as many keys
 * @param headDim elements of a query, key or value of one head
 * @param heads heads, each with keys and values of its own
 * @param causal whether query i sees the keys 0 to i alone
 * @param allThreads whether a call may use all processors, or one thread
 */
record AttentionWork(int tokens, int headDim, int heads, boolean causal, boolean allThreads) {
    static final String TOKENS = "n";
    static final String HEAD_DIM = "d";
    static final String HEADS = "heads";
    static final String MASK = "mask";
    static final String THREADS = "threads";

    /** As the parameters of a benchmark. */
    Map<String, String> parameters() {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put(TOKENS, Integer.toString(tokens));
        parameters.put(HEAD_DIM, Integer.toString(headDim));
        parameters.put(HEADS, Integer.toString(heads));
        parameters.put(MASK, causal ? "causal" : "full");
        parameters.put(THREADS, allThreads ? "all" : "1");
        return parameters;
    }

    /** Such as {@code n128-d64-h12-causal-1thread}. */
    String name() {
        return "n" + tokens + "-d" + headDim + "-h" + heads + (causal ? "-causal" : "-full")
                + (allThreads ? "-allthreads" : "-1thread");
    }

    /** Threads of a call. */
    int threads() {
        return allThreads ? Runtime.getRuntime().availableProcessors() : 1;
    }

    /** Keys that a query sees. */
    int keysOf(int query) {
        return causal ? query + 1 : tokens;
    }

    /** Query-key pairs of all heads, masked ones left out. */
    double pairs() {
        return (double) heads * tokens * (causal ? (tokens + 1) / 2.0 : tokens);
    }

    /** Operations of both products, a multiply-add counting two; the softmax is not counted, nor is what is masked. */
    double flops() {
        return 4 * pairs() * headDim;
    }

    /** Elements of the queries, as of the keys, the values and the output: [heads, tokens, head_dim]. */
    int elements() {
        return Math.toIntExact((long) heads * tokens * headDim);
    }

    float scale() {
        return (float) (1 / Math.sqrt(headDim));
    }
}
