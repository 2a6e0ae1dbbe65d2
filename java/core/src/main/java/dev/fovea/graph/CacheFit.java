package dev.fovea.graph;

import dev.fovea.ops.AttentionSpec;
import java.util.List;
import java.util.Objects;

/** That a cache set has the layers that a graph asks for. */
final class CacheFit {
    private CacheFit() {}

    static void require(int group, List<AttentionSpec> wanted, List<AttentionSpec> given) {
        if (wanted.size() != given.size()) {
            throw new IllegalArgumentException("cache " + group + " has " + given.size() + " layers, the graph "
                    + wanted.size());
        }
        for (int i = 0; i < wanted.size(); i++) {
            if (!fits(wanted.get(i), given.get(i))) {
                throw new IllegalArgumentException("layer " + i + " of cache " + group + " is not made for "
                        + wanted.get(i));
            }
        }
    }

    private static boolean fits(AttentionSpec wanted, AttentionSpec given) {
        return wanted.kvHeads() == given.kvHeads() && wanted.headDim() == given.headDim()
                && wanted.valueDim() == given.valueDim() && Objects.equals(wanted.rope(), given.rope());
    }
}
