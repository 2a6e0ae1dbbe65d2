package dev.fovea.internal.host;

import dev.fovea.internal.backend.Step;
import dev.fovea.tensor.Weight;
import java.util.List;

/**
 * The weights of a product by where they lie and how: two products of one weight, such as tied embeddings, have equal
 * keys and are packed once.
 */
final class PackingKey {
    private final List<Step.Part> parts;

    PackingKey(Step.Linear product) {
        this.parts = product.parts();
    }

    @Override
    public int hashCode() {
        return Long.hashCode(parts.getFirst().weight().segment().address());
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof PackingKey that) || parts.size() != that.parts.size()) {
            return false;
        }
        for (int i = 0; i < parts.size(); i++) {
            if (!isSame(parts.get(i).weight(), that.parts.get(i).weight())) {
                return false;
            }
        }
        return true;
    }

    private static boolean isSame(Weight a, Weight b) {
        return a.segment().address() == b.segment().address() && a.layout() == b.layout()
                && a.shape().equals(b.shape()) && a.stride(0) == b.stride(0) && a.stride(1) == b.stride(1)
                && a.scales() == b.scales() && a.scaleDimension() == b.scaleDimension();
    }
}
