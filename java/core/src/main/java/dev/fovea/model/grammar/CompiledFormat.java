package dev.fovea.model.grammar;

import java.util.List;

/** What an answer must look like, whatever the vocabulary. Immutable; safe to share. */
public final class CompiledFormat {
    private static final int MOST_CHOICES = 1 << 14;

    private final Automaton automaton;

    private CompiledFormat(Grammar grammar) {
        this.automaton = GrammarCompiler.compile(grammar);
    }

    /** JSON that is valid by a schema; see {@link JsonSchemaReader}. */
    public static CompiledFormat ofSchema(String schema) {
        return new CompiledFormat(JsonSchemaReader.read(schema));
    }

    /** A text that a regular expression matches as a whole; see {@link RegexReader}. */
    public static CompiledFormat ofRegex(String regex) {
        return new CompiledFormat(Grammar.of(RegexReader.whole(regex)));
    }

    /** One of some texts. */
    public static CompiledFormat ofChoice(List<String> choices) {
        if (choices.isEmpty() || choices.size() > MOST_CHOICES) {
            throw new IllegalArgumentException("expected 1 to " + MOST_CHOICES + " choices, got " + choices.size());
        }
        return new CompiledFormat(Grammar.of(Expression.choice(choices)));
    }

    /** A text by a grammar of llama.cpp; see {@link GbnfReader}. */
    public static CompiledFormat ofGrammar(String grammar) {
        return new CompiledFormat(GbnfReader.read(grammar));
    }

    Automaton automaton() {
        return automaton;
    }
}
