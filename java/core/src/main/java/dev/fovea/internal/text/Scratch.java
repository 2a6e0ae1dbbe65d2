package dev.fovea.internal.text;

/** The room that tokenizing a text takes, kept for the next one. */
final class Scratch {
    /** A text of more chars than this leaves no room behind. */
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

    boolean isKept() {
        return text.codes.length <= KEPT && piece.codes.length <= KEPT;
    }
}
