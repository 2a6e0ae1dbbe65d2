package dev.fovea.text;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What tokenizes: plain Java, or the native library. */
sealed interface Engine permits JavaEngine, LibraryEngine {
    int[] encode(String text);

    /** Special tokens that the text spells out are text. */
    int[] encodeVerbatim(String text);

    /** Writes as many ids as there is room for; gives how many there are. */
    int encode(CharSequence text, MemorySegment ids);

    /** Tokens as the vocabulary spells them. */
    List<String> tokens(String text);

    /** Tokens and their places. */
    Inputs.Body tokenize(String text);

    /** The token with an id; empty if there is none. */
    String token(int id);

    /** Frees native memory. */
    void free();
}
