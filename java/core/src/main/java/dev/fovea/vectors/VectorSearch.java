package dev.fovea.vectors;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.fovea.Engine;
import dev.fovea.internal.backend.Require;
import dev.fovea.internal.host.HostDevice;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.Similarity;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Finds the vectors that are closest to a query, by comparing it with all of them.
 *
 * <pre>{@code
 * var vectors = VectorRows.of(mapped, VectorType.FLOAT, encoder.dimension());
 * try (var search = VectorSearch.create(encoder.engine(), vectors, Similarity.COSINE)) {
 *     List<Neighbor> nearest = search.nearest(encoder.encode("How do I reset my password?"), 10);
 * }
 * }</pre>
 *
 * <p>Vectors are read where they lie, in every search anew: what is written there between two searches counts. Of equal
 * scores the lower row ranks first, and NaN ranks below −∞. A vector's score does not depend on its place, on the other
 * vectors and queries, or on the number of threads.
 *
 * <p>Scores are computed in binary32. Those of {@link VectorType#INT8} are exact for {@link Similarity#DOT} up to 2²⁴,
 * and so always up to 1024 components. {@link Similarity#COSINE} divides by the length or by 1e-12, whichever is larger;
 * of {@link VectorType#BINARY} it is 1 − 2 h / dimension, and the dot product dimension − 2 h, with the Hamming distance h.
 *
 * <p>For one thread at a time. A search into memory of the caller's allocates nothing on the Java heap, unless it asks
 * for more than any before. Floats and bytes are compared in the engine's threads too, bits in the caller's alone.
 */
public final class VectorSearch implements AutoCloseable {
    /** Results of several queries that are kept at a time; one query may have more. */
    private static final int KEYS = 1 << 22;

    private final HostDevice device;
    private final VectorRows vectors;
    private final Similarity similarity;
    private final Owner owner;
    private final Scorer scorer;
    private final BestRows best = new BestRows();

    private VectorSearch(HostDevice device, VectorRows vectors, Similarity similarity, Owner owner) {
        this.device = device;
        this.vectors = vectors;
        this.similarity = similarity;
        this.owner = owner;
        boolean cosine = similarity == Similarity.COSINE;
        this.scorer = vectors.type() == VectorType.BINARY ? new BitScorer(owner.arena(), vectors, cosine)
                : new ProductScorer(device, owner.arena(), vectors, cosine);
    }

    /**
     * A search on an engine, which must be closed later than this.
     *
     * @param similarity {@link Similarity#COSINE} or {@link Similarity#DOT}
     * @throws IllegalArgumentException if the similarity is another one, or the engine's memory is not the host's
     * @throws IllegalStateException if the engine, or the arena of the vectors, is closed
     */
    public static VectorSearch create(Engine engine, VectorRows vectors, Similarity similarity) {
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(vectors, "vectors");
        if (similarity != Similarity.COSINE && similarity != Similarity.DOT) {
            throw new IllegalArgumentException("expected the similarity COSINE or DOT, got " + similarity);
        }
        if (!(engine instanceof HostDevice device)) {
            throw new IllegalArgumentException(
                    "vectors are searched on the CPU: expected a backend that computes there, got " + engine.backend());
        }
        Require.reachable("the vectors", vectors.segment());
        device.enter();
        try {
            return Owner.create("search", owner -> new VectorSearch(device, vectors, similarity, owner));
        } finally {
            device.exit();
        }
    }

    /** Such as {@code VectorSearch[COSINE among 100000 vectors of 384 FLOAT, NATIVE engine (avx2, 4 threads)]}. */
    @Override
    public String toString() {
        return "VectorSearch[" + similarity + " among " + vectors.count() + " vectors of " + vectors.dimension() + ' '
                + vectors.type() + ", " + device + ']';
    }

    /** What it searches. */
    public VectorRows vectors() {
        return vectors;
    }

    /** What it ranks by. */
    public Similarity similarity() {
        return similarity;
    }

    /**
     * Finds the k closest vectors to each query, the closest first; all where there are fewer.
     *
     * @param count the number of queries
     * @param queries [count, dimension] of the vectors' type, on or off the heap, at any alignment
     * @param k at least 1
     * @param rows I32 [count, k], likewise; receives the indices, of which those behind the result stay as they are
     * @param scores F32 [count, k], likewise; it and rows overlap neither each other nor queries and vectors
     * @return how many were found for each query: k, or the number of vectors where it is less
     * @throws IllegalArgumentException if a size does not fit, with both values; nothing is written then
     * @throws IllegalStateException if this, the engine or the arena of a segment is closed, or another thread is in a
     *     search
     */
    public int nearest(int count, MemorySegment queries, int k, MemorySegment rows, MemorySegment scores) {
        owner.enterAlone();
        try {
            Require.count("queries", count);
            Require.atLeast("k", 1, k);
            long queryBytes = vectors.type().bytes(vectors.dimension());
            requireBytes("queries", queries, count * queryBytes);
            requireWritable("rows", rows, (long) count * k * Integer.BYTES);
            requireWritable("scores", scores, (long) count * k * Float.BYTES);
            device.enter();
            try {
                return search(count, queries, queryBytes, k, rows, scores);
            } finally {
                device.exit();
            }
        } finally {
            owner.exit();
        }
    }

    private int search(int count, MemorySegment queries, long queryBytes, int k, MemorySegment rows,
            MemorySegment scores) {
        int found = Math.min(k, vectors.count());
        int most = Math.clamp(KEYS / Math.max(1, found), 1, Scorer.QUERIES);
        for (int first = 0; first < count && found > 0; first += most) {
            int some = Math.min(most, count - first);
            scorer.take(some, queries, first * queryBytes);
            find(some, found);
            for (int query = 0; query < some; query++) {
                write(query, found, (first + query) * (long) k, rows, scores);
            }
        }
        return found;
    }

    /**
     * The k closest vectors to a query, the closest first; all where there are fewer.
     *
     * @throws IllegalArgumentException if the vectors are not {@link VectorType#FLOAT}, or of another dimension
     */
    public List<Neighbor> nearest(float[] query, int k) {
        requireType("floats", vectors.type() == VectorType.FLOAT);
        Require.size("dimension", vectors.dimension(), query.length, "the query");
        return nearest(MemorySegment.ofArray(query), k);
    }

    /**
     * The k closest vectors to a query of bytes or bits, the closest first; all where there are fewer.
     *
     * @throws IllegalArgumentException if the vectors are {@link VectorType#FLOAT}, or of another dimension
     */
    public List<Neighbor> nearest(byte[] query, int k) {
        requireType("bytes", vectors.type() != VectorType.FLOAT);
        boolean bits = vectors.type() == VectorType.BINARY;
        Require.size(bits ? "bytes of a vector of dimension " + vectors.dimension() + ":" : "dimension",
                vectors.type().bytes(vectors.dimension()), query.length, "the query");
        return nearest(MemorySegment.ofArray(query), k);
    }

    private List<Neighbor> nearest(MemorySegment query, int k) {
        Require.atLeast("k", 1, k);
        int most = Math.min(k, vectors.count());
        int[] rows = new int[Math.max(1, most)];
        float[] scores = new float[rows.length];
        int found = nearest(1, query, rows.length, MemorySegment.ofArray(rows), MemorySegment.ofArray(scores));
        List<Neighbor> neighbors = new ArrayList<>(found);
        for (int rank = 0; rank < found; rank++) {
            neighbors.add(new Neighbor(rows[rank], scores[rank]));
        }
        return neighbors;
    }

    private void find(int queries, int k) {
        best.reset(queries, k);
        int blockRows = scorer.blockRows();
        for (int block = 0, first = 0; first < vectors.count() && first >= 0; block++, first += blockRows) {
            MemorySegment scores = scorer.score(block);
            int rows = Math.min(blockRows, vectors.count() - first);
            long at = 0;
            for (int row = 0; row < rows; row++) {
                for (int query = 0; query < queries; query++, at++) {
                    best.offer(query, first + row, scores.getAtIndex(ValueLayout.JAVA_FLOAT, at));
                }
            }
        }
    }

    private void write(int query, int found, long at, MemorySegment rows, MemorySegment scores) {
        best.rank(query);
        for (int rank = 0; rank < found; rank++) {
            rows.set(JAVA_INT_UNALIGNED, (at + rank) * Integer.BYTES, best.row(query, rank));
            scores.set(JAVA_FLOAT_UNALIGNED, (at + rank) * Float.BYTES, best.score(query, rank));
        }
    }

    private static void requireBytes(String name, MemorySegment segment, long bytes) {
        Objects.requireNonNull(segment, name);
        Require.reachable(name, segment);
        Require.room("bytes", bytes, segment.byteSize(), name);
    }

    private static void requireWritable(String name, MemorySegment segment, long bytes) {
        requireBytes(name, segment, bytes);
        if (segment.isReadOnly()) {
            throw new IllegalArgumentException(name + " is read-only: " + segment);
        }
    }

    private void requireType(String given, boolean fits) {
        if (!fits) {
            throw new IllegalArgumentException("expected a query for vectors of type " + vectors.type() + ", got " + given);
        }
    }

    /** Frees what it holds, at once or when the search in progress is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }
}
