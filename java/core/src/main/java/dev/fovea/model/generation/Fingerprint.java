package dev.fovea.model.generation;

import dev.fovea.model.family.Description;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.Weights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * Tells models apart whose keys and values differ: by what they are made of, how their positions turn, and the first and last
 * bytes of each tensor, which takes milliseconds where all bytes would take seconds.
 */
public final class Fingerprint {
    private static final int SAMPLE = 1 << 12;

    private final MessageDigest sha;

    private Fingerprint() {
        try {
            sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /**
     * The fingerprint, 32 bytes.
     *
     * @param types of weights and cache, in words
     */
    public static byte[] of(Description description, List<AttentionSpec> layers, Weights weights, String types) {
        var made = new Fingerprint();
        made.add(types);
        made.add(description.vocabulary() + " " + description.width() + " " + description.layers());
        made.add(description.embedding().toString());
        made.add(description.attention().toString());
        made.add(description.feedForward().toString());
        made.add(description.norms().toString());
        layers.stream().map(AttentionSpec::rope).distinct().forEach(rope -> {
            if (rope != null) {
                made.add("rope " + rope.layout() + " " + rope.dim());
                made.add(rope.table());
            }
        });
        weights.names().stream().sorted().forEach(name -> made.add(weights, name));
        return made.sha.digest();
    }

    private void add(Weights weights, String name) {
        add(name);
        try {
            var weight = weights.weight(name);
            add(weight.layout() + " " + weight.shape());
            add(weight.segment());
        } catch (IllegalArgumentException e) {
            add("not of the model"); // of a type or shape that no model has
        }
    }

    /** The frequencies show at the second position. */
    private void add(Tensor table) {
        for (int i = 0; table.size(0) > 1 && i < table.size(1); i++) {
            add(Integer.toString(Float.floatToRawIntBits(table.getFloat(1, i))));
        }
    }

    private void add(MemorySegment bytes) {
        long count = Math.min(SAMPLE, bytes.byteSize());
        sha.update(bytes.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
        sha.update(bytes.asSlice(bytes.byteSize() - count, count).toArray(ValueLayout.JAVA_BYTE));
    }

    private void add(String text) {
        sha.update(text.getBytes(StandardCharsets.UTF_8));
        sha.update((byte) 0);
    }
}
