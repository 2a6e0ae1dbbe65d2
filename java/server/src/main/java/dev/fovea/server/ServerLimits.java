package dev.fovea.server;

import dev.fovea.model.QueueOptions;
import java.time.Duration;

/**
 * What clients may take. Immutable; each {@code with…} gives a copy.
 *
 * @param maxConnections open at a time; more are closed at once
 * @param maxRequests answered at a time, those that wait for a model among them; more are refused with status 429
 * @param maxClientBatch texts of one request; more are refused with 413
 * @param maxBatchTokens tokens of a batch that a model runs at once, gathered from all requests; 0 for what suits
 *     its backend: 128 on a CPU, {@value QueueOptions#MAX_BATCH_TOKENS} on a GPU
 * @param maxQueuedTokens tokens that wait for a model; a request for which there is no room is refused with 429
 * @param maxBodyBytes bytes of a request's body; more are refused with 413
 * @param maxHeaderBytes bytes of a request's headers; more are refused with 431
 * @param parallel answers that a language model writes at a time
 * @param deadline for an answer; what takes longer is refused with 503, or its stream ends with an error
 * @param arrival for a request to arrive as a whole, and for a new connection to send one
 * @param idle for the next request on a connection
 * @param write for a client that reads nothing of what waits for it
 */
public record ServerLimits(int maxConnections, int maxRequests, int maxClientBatch, int maxBatchTokens, long maxQueuedTokens,
        int maxBodyBytes, int maxHeaderBytes, int parallel, Duration deadline, Duration arrival, Duration idle, Duration write) {
    /** Bodies that are there at a time have at most this many times the bytes of the largest. */
    static final int BODIES = 32;

    /** Checks the values. */
    public ServerLimits {
        require("max-connections", maxConnections, 1, 1_000_000);
        require("max-requests", maxRequests, 1, 1_000_000);
        require("max-client-batch", maxClientBatch, 1, 1_000_000);
        require("max-batch-tokens", maxBatchTokens, 0, QueueOptions.MAX_BATCH_TOKENS);
        require("max-queued-tokens", maxQueuedTokens, 1, Long.MAX_VALUE);
        require("max-body-bytes", maxBodyBytes, 1, 1 << 28);
        require("max-header-bytes", maxHeaderBytes, 256, 1 << 20);
        require("parallel", parallel, 1, 1024);
        requirePositive("deadline", deadline);
        requirePositive("arrival", arrival);
        requirePositive("idle", idle);
        requirePositive("write", write);
    }

    private static void require(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " must be from " + least + " to " + most + ", got " + value);
        }
    }

    private static void requirePositive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException("the time " + name + " must be more than 0, got " + value);
        }
    }

    /**
     * 4096 connections, 512 requests, 32 texts of a request, batches as they suit the backend, 262,144 tokens that wait, bodies
     * of 2 MB, headers of 16 KiB, 8 answers of a language model at a time; 5 minutes for an answer, 30 s for a request to
     * arrive, 75 s for the next, 30 s for a client that does not read.
     */
    public static ServerLimits defaults() {
        return new ServerLimits(4096, 512, 32, 0, 1 << 18, 2_000_000, 16 << 10, 8, Duration.ofMinutes(5),
                Duration.ofSeconds(30), Duration.ofSeconds(75), Duration.ofSeconds(30));
    }

    /** A copy with another number of connections. */
    public ServerLimits withConnections(int connections) {
        return new ServerLimits(connections, maxRequests, maxClientBatch, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, parallel, deadline, arrival, idle, write);
    }

    /** A copy with another number of requests at a time. */
    public ServerLimits withRequests(int requests) {
        return new ServerLimits(maxConnections, requests, maxClientBatch, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, parallel, deadline, arrival, idle, write);
    }

    /** A copy with another number of texts of a request. */
    public ServerLimits withClientBatch(int texts) {
        return new ServerLimits(maxConnections, maxRequests, texts, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, parallel, deadline, arrival, idle, write);
    }

    /** A copy with other tokens of a batch, and other tokens that wait. */
    public ServerLimits withTokens(int ofBatch, long queued) {
        return new ServerLimits(maxConnections, maxRequests, maxClientBatch, ofBatch, queued, maxBodyBytes, maxHeaderBytes,
                parallel, deadline, arrival, idle, write);
    }

    /** A copy with other bytes of bodies. */
    public ServerLimits withBodyBytes(int bytes) {
        return new ServerLimits(maxConnections, maxRequests, maxClientBatch, maxBatchTokens, maxQueuedTokens, bytes,
                maxHeaderBytes, parallel, deadline, arrival, idle, write);
    }

    /** A copy with another number of answers that a language model writes at a time. */
    public ServerLimits withParallel(int answers) {
        return new ServerLimits(maxConnections, maxRequests, maxClientBatch, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, answers, deadline, arrival, idle, write);
    }

    /** A copy with another time for an answer. */
    public ServerLimits withDeadline(Duration time) {
        return new ServerLimits(maxConnections, maxRequests, maxClientBatch, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, parallel, time, arrival, idle, write);
    }

    /** A copy with other times of a connection. */
    public ServerLimits withTimes(Duration ofArrival, Duration ofIdle, Duration ofWrite) {
        return new ServerLimits(maxConnections, maxRequests, maxClientBatch, maxBatchTokens, maxQueuedTokens, maxBodyBytes,
                maxHeaderBytes, parallel, deadline, ofArrival, ofIdle, ofWrite);
    }
}
