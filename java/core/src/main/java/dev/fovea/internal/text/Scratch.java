package dev.fovea.internal.text;

/** The room that tokenizing a text takes, kept for the next one. */
final class Scratch {
    /** A text that has, or becomes, more code points than this leaves no room behind. */
    private static final int KEPT = 1 << 20;

    /** The whole text. */
    final Characters text = new Characters();
    /** A piece of it between special tokens, normalized. */
    final Characters piece = new Characters();
    /** A piece of that between tokens that are looked for once it is normalized. */
    final Characters part = new Characters();
    final Pieces pieces = new Pieces();
    final Pieces parts = new Pieces();
    final Words words = new Words();
    final Matches matches = new Matches();
    final Tokens tokens = new Tokens();
    final Symbols symbols = new Symbols();
    final PiecePath path = new PiecePath();
    final Composer composer = new Composer();
    final Changes changes = new Changes();
    final PatternMatcher matcher = new PatternMatcher();

    /** Whether special tokens that the text spells out are text. */
    boolean verbatim;

    /** How many code points the pieces of the text may still become. */
    private int left;

    /** Begins a text of so many chars. */
    void begin(int chars) {
        left = Characters.MOST;
        matcher.allow(chars);
    }

    /** Counts what a piece has become, which a hostile file makes much of. */
    void spend(int codePoints) {
        left -= codePoints;
        if (left < 0) {
            throw Characters.tooLong();
        }
    }

    /** Whether it is worth keeping; what is not asked has hardly more room than the texts. */
    boolean isKept() {
        return text.room() <= KEPT && piece.room() <= KEPT && part.room() <= KEPT && tokens.room() <= KEPT
                && symbols.room() <= KEPT && composer.room() <= KEPT && changes.room() <= KEPT && matcher.room() <= KEPT;
    }
}
