package dev.fovea.model.grammar;

import dev.fovea.internal.files.Excerpt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What an answer must look like, whatever the vocabulary. Immutable; safe to share. */
public final class CompiledFormat {
    private static final int MOST_CHOICES = 1 << 14;

    private final Grammar grammar;
    private final Automaton automaton;

    private CompiledFormat(Grammar grammar) {
        this.grammar = grammar;
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

    /**
     * A call of one of some tools.
     *
     * @param tools the schema of the arguments, by the tool's name; they are an object, whatever it says
     * @param parts what stands before the name, between it and the arguments, and behind these
     */
    public static CompiledFormat ofCall(Map<String, String> tools, List<String> parts) {
        return new CompiledFormat(call(tools, parts));
    }

    /** This, or a call of one of some tools; see {@link #ofCall}. */
    public CompiledFormat orCall(Map<String, String> tools, List<String> parts) {
        return new CompiledFormat(Grammar.either(grammar, call(tools, parts)));
    }

    /**
     * Any text, with calls of some tools among it; see {@link #ofCall}.
     *
     * @param mark what calls begin with, and nothing else
     * @param isMarked whether each call begins so; else a text that begins with a brace is a call as a whole
     */
    public static CompiledFormat ofTextWithCalls(Map<String, String> tools, List<String> parts, String mark, boolean isMarked) {
        if (!isMarked) {
            CodePoints space = CodePoints.where(Character::isWhitespace); // what String.strip takes from an answer's begin
            Expression any = new Expression.Characters(CodePoints.ALL).times(0, -1);
            Expression begin = FreeText.except(space.union(CodePoints.of("{")));
            Expression text = new Expression.Both(FreeText.without(mark), Expression.sequence(begin, any));
            return new CompiledFormat(Grammar.around(call(tools, parts), call -> Expression.sequence(
                    new Expression.Characters(space).times(0, -1), Expression.choice(call, text).optional())));
        }
        List<String> behind = List.of(parts.get(0).substring(mark.length()), parts.get(1), parts.get(2));
        return new CompiledFormat(Grammar.around(call(tools, behind), call -> Expression.sequence(
                Expression.sequence(FreeText.through(mark), call).times(0, -1), FreeText.without(mark))));
    }

    /** Any text in which a mark is not, whose first character stands in no other place of it. */
    public static CompiledFormat ofTextWithout(String mark) {
        return new CompiledFormat(Grammar.of(FreeText.without(mark)));
    }

    private static Grammar call(Map<String, String> tools, List<String> parts) {
        var rules = new JsonRules();
        rules.rule("#call", () -> {
            List<Expression> calls = new ArrayList<>();
            tools.forEach((name, schema) -> calls.add(Expression.sequence(
                    Expression.literal(parts.get(0) + JsonText.escaped(name) + parts.get(1)),
                    arguments(name, schema, rules, "#" + calls.size()), Expression.literal(parts.get(2)))));
            return new Expression.Choice(calls);
        });
        return rules.grammar();
    }

    private static Expression arguments(String tool, String schema, JsonRules rules, String prefix) {
        try {
            return JsonSchemaReader.objects(schema, rules, prefix);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the arguments of the tool '" + Excerpt.of(tool) + "': " + e.getMessage(), e);
        }
    }

    /**
     * This, behind what a model thinks first.
     *
     * @param open whether its thoughts have begun already; else they may be left out
     */
    public CompiledFormat behindThoughts(boolean open) {
        return new CompiledFormat(Thoughts.before(grammar, open));
    }

    /** Reads a text by it. */
    public FormatReader reader() {
        return new FormatReader(automaton);
    }

    Automaton automaton() {
        return automaton;
    }
}
