package dev.fovea.internal.host;

import dev.fovea.internal.backend.Step;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Parts of mapped files that have been read for the last time. Their pages go back to the system in large steps, so that
 * packing a large model never keeps its file and its packed weights in memory together. Reading such a part again gives
 * the same bytes, from the file. That holds for mappings that nobody writes to: pages of a writable one may hold changes
 * that the file has not, and stay.
 */
final class MappedSources {
    private static final long STEP_BYTES = 4L << 20;

    /** Less than this is not worth the calls into the system, and may stay. */
    private static final long LARGE_BYTES = 128L << 20;

    private final boolean large;
    private final List<MemorySegment> read = new ArrayList<>();
    private long bytes;

    /** For the weights of all these products. */
    MappedSources(List<Step.Linear> products) {
        long total = 0;
        for (Step.Linear product : products) {
            for (Step.Part part : product.parts()) {
                total += part.weight().segment().byteSize();
            }
        }
        large = total >= LARGE_BYTES;
    }

    /** Notes a segment that has been read; one that is not mapped, or writable, stays as it is. */
    void add(MemorySegment segment) {
        if (large && segment.isMapped() && segment.isReadOnly()) {
            read.add(segment);
            bytes += segment.byteSize();
            if (bytes >= STEP_BYTES) {
                unload();
            }
        }
    }

    /** Gives back what has been noted. */
    void unload() {
        read.forEach(MemorySegment::unload);
        read.clear();
        bytes = 0;
    }
}
