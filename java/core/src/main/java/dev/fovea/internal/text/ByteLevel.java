package dev.fovea.internal.text;

/**
 * GPT-2's words: split by a pattern, then spelled with a character for each byte.
 *
 * @param prefixesSpace whether words that begin with none get a space
 * @param splits whether the pattern splits them
 */
public record ByteLevel(boolean prefixesSpace, boolean splits) implements PreTokenizer {
    private static final Split WORDS = new Split(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", true,
            SplitBehavior.ISOLATED, false);

    @Override
    public void split(Scratch scratch, Characters text) {
        Words words = scratch.words;
        if (prefixesSpace) {
            text.begin();
            words.begin();
            for (int i = 0; i < words.size; i++) {
                int start = text.written();
                if (text.codes[words.from[i]] != ' ') {
                    text.put(' ', words.from[i]);
                }
                text.putAll(words.from[i], words.to[i]);
                words.put(start, text.written());
            }
            words.end();
            text.end();
        }
        if (splits) {
            WORDS.split(scratch, text);
        }
        text.begin();
        words.begin();
        for (int i = 0; i < words.size; i++) {
            int start = text.written();
            for (int at = words.from[i]; at < words.to[i]; at++) {
                ByteCharacters.put(text, at);
            }
            words.put(start, text.written());
        }
        words.end();
        text.end();
    }
}
