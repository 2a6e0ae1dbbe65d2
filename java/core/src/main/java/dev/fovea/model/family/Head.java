package dev.fovea.model.family;

import dev.fovea.ops.Pooling;
import java.util.Objects;

/** What is made of the last layer's result, [tokens, width]. */
public sealed interface Head {
    /** Nothing: it is the output. */
    record Hidden() implements Head {}

    /**
     * A vector for each sequence: Reimers and Gurevych, arXiv:1908.10084.
     *
     * @param pooling how the vectors of tokens become one
     * @param normalize whether it gets length 1
     * @param keepPooled whether the vector before that is a second output
     */
    record Pooled(Pooling pooling, boolean normalize, boolean keepPooled) implements Head {
        /** Checks that there is a pooling. */
        public Pooled {
            Objects.requireNonNull(pooling, "pooling");
        }
    }

    /**
     * The logits of the token that follows each sequence.
     *
     * @param tied whether the output matrix is that of the embeddings: Press and Wolf, arXiv:1608.05859
     * @param softcap bound of the logits, 0 for none: Gemma 2, arXiv:2408.00118. {@link ModelGraph} refuses it: no
     *     op of a graph computes it.
     */
    record NextToken(boolean tied, float softcap) implements Head {
        /** Checks the bound. */
        public NextToken {
            Description.requireSoftcap("logit softcap", softcap);
        }
    }
}
