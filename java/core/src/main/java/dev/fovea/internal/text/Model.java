package dev.fovea.internal.text;

/** Makes tokens of a word. */
public sealed interface Model permits WordPiece, WordLevel, PairMerges, Unigram {
    /** Adds the tokens of a word of {@code text} to those of {@code scratch}. */
    void tokenize(Scratch scratch, Characters text, int from, int to);

    /** The vocabulary. */
    Vocabulary vocabulary();
}
