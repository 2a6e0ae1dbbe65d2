package dev.fovea.model.family;

import dev.fovea.ops.Activation;
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

    /** What of the hidden states a head reads. */
    enum Reading {
        /** Every token: scores [tokens, outputs]. */
        TOKENS,
        /** The first token of each sequence: scores [sequences, outputs], as all that follow. */
        FIRST,
        /** The last token. */
        LAST,
        /** The mean over all tokens. */
        MEAN,
        /** Every token, and the mean of their scores. */
        MEAN_OF_SCORES
    }

    /**
     * A linear layer with an activation before the scores.
     *
     * @param width of its result
     * @param activation what is done to it
     * @param bias whether it has one
     * @param norm whether a norm follows, of the kind and epsilon of the model's
     */
    record Dense(int width, Activation activation, boolean bias, boolean norm) {
        /** Checks that there is an activation. */
        public Dense {
            Objects.requireNonNull(activation, "activation");
        }
    }

    /**
     * Scores of labels or of words: the heads of BERT, Devlin et al., arXiv:1810.04805, and of its descendants.
     *
     * @param reading what it reads
     * @param dense a layer before the scores, or null
     * @param outputs how many scores
     * @param bias whether the scores have a bias
     * @param tied whether the matrix of the scores is that of the embeddings, as where words are scored
     */
    record Scores(Reading reading, Dense dense, int outputs, boolean bias, boolean tied) implements Head {
        /** Checks the values. */
        public Scores {
            Objects.requireNonNull(reading, "reading");
            if (outputs < 1) {
                throw new IllegalArgumentException("outputs must be at least 1, got " + outputs);
            }
        }

        /** Whether it reads the last token alone. */
        public boolean readsEnd() {
            return reading == Reading.LAST;
        }
    }

    /**
     * A vector of each token: Khattab and Zaharia, ColBERT, arXiv:2004.12832.
     *
     * @param width its elements, by a linear layer without a bias; 0 for the hidden states themselves
     * @param normalize whether it gets length 1
     * @param hidesSecond whether no token attends to those of the second type, as to the masks that fill up a query
     */
    record TokenVectors(int width, boolean normalize, boolean hidesSecond) implements Head {}

    /**
     * The logits of the token that follows each sequence.
     *
     * @param tied whether the output matrix is that of the embeddings: Press and Wolf, arXiv:1608.05859
     * @param softcap bound of the logits, 0 for none: Gemma 2, arXiv:2408.00118. {@link ModelGraph#generator} leaves the
     *     last factor of {@code softcap · tanh(x / softcap)} to who reads its output; others refuse it.
     */
    record NextToken(boolean tied, float softcap) implements Head {
        /** Checks the bound. */
        public NextToken {
            Description.requireSoftcap("logit softcap", softcap);
        }
    }
}
