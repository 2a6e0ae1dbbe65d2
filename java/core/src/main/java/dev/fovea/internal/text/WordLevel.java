package dev.fovea.internal.text;

/**
 * A word is a token, or unknown.
 *
 * @param unknown the id of the token that stands for words that the vocabulary has not
 */
public record WordLevel(Vocabulary vocabulary, int unknown) implements Model {
    @Override
    public void tokenize(Scratch scratch, Characters text, int from, int to) {
        long hash = vocabulary.seed();
        for (int i = from; i < to; i++) {
            hash = Vocabulary.step(hash, text.codes[i]);
        }
        int id = vocabulary.find(hash, "", text.codes, from, to);
        scratch.tokens.add(id < 0 ? unknown : id, text, from, to);
        if (scratch.tokens.spells()) {
            scratch.tokens.spell(vocabulary.tokenOf(id < 0 ? unknown : id));
        }
    }
}
