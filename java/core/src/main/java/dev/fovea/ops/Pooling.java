package dev.fovea.ops;

/** How a sequence's token vectors become one. Reimers and Gurevych, Sentence-BERT, arXiv:1908.10084, section 3. */
public enum Pooling {
    /** The mean over all tokens. */
    MEAN,
    /** The first token's. */
    CLS,
    /** The last token's. */
    LAST
}
