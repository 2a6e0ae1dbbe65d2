package dev.fovea.internal.text;

/** What becomes of that by which a text is split. The names are the library's. */
public enum SplitBehavior {
    /** It goes. */
    REMOVED,
    /** Each match is a word. */
    ISOLATED,
    /** It is the end of the word before it. */
    MERGED_WITH_PREVIOUS,
    /** It is the begin of the word behind it. */
    MERGED_WITH_NEXT,
    /** Matches in a row are a word. */
    CONTIGUOUS
}
