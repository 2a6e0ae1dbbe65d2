package dev.fovea.model.grammar;

import dev.fovea.internal.files.Excerpt;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** What a text may be: the form that schemas, regular expressions, choices and grammars are brought to. Immutable. */
sealed interface Expression {
    /** Nothing. */
    Expression EMPTY = new Sequence(List.of());

    /** This text. Half a character, which UTF-8 cannot say, is refused. */
    record Literal(String text) implements Expression {
        public Literal {
            int half = 0;
            while (half < text.length() && !isHalf(text.codePointAt(half))) {
                half += Character.charCount(text.codePointAt(half));
            }
            if (half < text.length()) {
                throw new IllegalArgumentException(String.format("expected a text of whole characters, got half of one, U+%04X, at char %d"
                        + " of '%s'", text.codePointAt(half), half, Excerpt.of(text)));
            }
        }

        private static boolean isHalf(int codePoint) {
            return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        }
    }

    /** One of these characters. */
    record Characters(CodePoints set) implements Expression {}

    /** One after the other. */
    record Sequence(List<Expression> parts) implements Expression {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of them; of none, nothing matches. */
    record Choice(List<Expression> parts) implements Expression {
        public Choice {
            parts = List.copyOf(parts);
        }
    }

    /**
     * The same again and again.
     *
     * @param most −1 for any number
     */
    record Repeat(Expression part, int least, int most) implements Expression {}

    /** What another rule matches, by its number. */
    record Call(int rule) implements Expression {}

    /**
     * Parts in their order, those that are not required left out or not, with a separator between two of them.
     *
     * @param separator between those that are there
     */
    record Members(List<Member> members, Expression separator) implements Expression {
        public Members {
            members = List.copyOf(members);
        }
    }

    /** A part of {@link Members}. */
    record Member(Expression expression, boolean required) {}

    /** Both at once: what is one and the other. Neither has calls. */
    record Both(Expression one, Expression other) implements Expression {}

    /** All but this, of texts that {@code all} matches. Neither has calls. */
    record Except(Expression all, Expression not) implements Expression {}

    static Expression literal(String text) {
        return new Literal(text);
    }

    static Expression sequence(Expression... parts) {
        return new Sequence(List.of(parts));
    }

    static Expression choice(Expression... parts) {
        return new Choice(List.of(parts));
    }

    static Expression choice(List<String> texts) {
        return new Choice(texts.stream().map(Expression::literal).toList());
    }

    static Expression characters(String characters) {
        return new Characters(CodePoints.of(characters));
    }

    static Expression characters(char first, char last) {
        return new Characters(CodePoints.of(first, last));
    }

    default Expression optional() {
        return new Repeat(this, 0, 1);
    }

    default Expression times(int least, int most) {
        return new Repeat(this, least, most);
    }

    /** The same, with other numbers for the rules that it calls. */
    default Expression withCalls(IntUnaryOperator numbers) {
        return switch (this) {
            case Call(int rule) -> new Call(numbers.applyAsInt(rule));
            case Sequence(List<Expression> parts) -> new Sequence(parts.stream().map(part -> part.withCalls(numbers)).toList());
            case Choice(List<Expression> parts) -> new Choice(parts.stream().map(part -> part.withCalls(numbers)).toList());
            case Repeat(Expression part, int least, int most) -> new Repeat(part.withCalls(numbers), least, most);
            case Members(List<Member> members, Expression separator) -> new Members(members.stream().map(member ->
                    new Member(member.expression().withCalls(numbers), member.required())).toList(), separator.withCalls(numbers));
            case Literal _, Characters _, Both _, Except _ -> this;
        };
    }
}
