package dev.fovea.internal.text;

/**
 * SentencePiece's words: spaces become a visible character, which words begin with.
 *
 * @param replacement the character
 * @param scheme whether a word without one gets it
 * @param splits whether there is a word for each
 */
public record Metaspace(int replacement, Scheme scheme, boolean splits) implements PreTokenizer {
    /** Which words get the character. */
    public enum Scheme { ALWAYS, FIRST, NEVER }

    @Override
    public boolean asksForPlaces() {
        return scheme == Scheme.FIRST;
    }

    @Override
    public void split(Scratch scratch, Characters text) {
        Words words = scratch.words;
        text.begin();
        words.begin();
        for (int i = 0; i < words.size; i++) {
            int start = text.written();
            int from = words.from[i];
            boolean marked = text.codes[from] == replacement || text.codes[from] == ' ';
            if (!marked && (scheme == Scheme.ALWAYS || scheme == Scheme.FIRST && text.starts[from] == 0)) {
                text.put(replacement, from);
            }
            for (int at = from; at < words.to[i]; at++) {
                text.put(text.codes[at] == ' ' ? replacement : text.codes[at], at);
            }
            words.put(start, text.written());
        }
        words.end();
        text.end();
        if (splits) {
            PreTokenizer.byCode(scratch, text, replacement, SplitBehavior.MERGED_WITH_NEXT);
        }
    }
}
