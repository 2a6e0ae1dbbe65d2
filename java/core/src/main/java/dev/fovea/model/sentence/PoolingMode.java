package dev.fovea.model.sentence;

import dev.fovea.ops.Pooling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How sentence-transformers makes one vector of those of a sequence's tokens, in the order in which it concatenates
 * them. Reimers and Gurevych, Sentence-BERT, arXiv:1908.10084; Muennighoff, SGPT, arXiv:2202.08904.
 */
public enum PoolingMode {
    /** The first token's. */
    CLS("cls", "cls_token", Pooling.CLS),
    /** The largest of each component. */
    MAX("max", "max_tokens", null),
    /** The mean. */
    MEAN("mean", "mean_tokens", Pooling.MEAN),
    /** The sum, divided by the square root of the number of tokens. */
    MEAN_SQRT_LEN_TOKENS("mean_sqrt_len_tokens", "mean_sqrt_len_tokens", null),
    /** The mean, where the token at place t, from 1 on, weighs t. */
    WEIGHTED_MEAN("weightedmean", "weightedmean_tokens", null),
    /** The last token's. */
    FINAL_TOKEN("lasttoken", "lasttoken", Pooling.LAST);

    private final String word;
    private final String flag;
    private final Pooling op;

    PoolingMode(String word, String flag, Pooling op) {
        this.word = word;
        this.flag = flag;
        this.op = op;
    }

    /** Its name in the files of sentence-transformers. */
    public String word() {
        return word;
    }

    /** The field of older files that says whether it is in use. */
    String flag() {
        return "pooling_mode_" + flag;
    }

    /** The op of a graph that computes it, if there is one. */
    Optional<Pooling> op() {
        return Optional.ofNullable(op);
    }

    /** The mode of this name. */
    static Optional<PoolingMode> of(String word) {
        for (PoolingMode mode : values()) {
            if (mode.word.equals(word)) {
                return Optional.of(mode);
            }
        }
        return Optional.empty();
    }

    /** All names, for messages. */
    static List<String> words() {
        List<String> words = new ArrayList<>();
        for (PoolingMode mode : values()) {
            words.add(mode.word);
        }
        return words;
    }
}
