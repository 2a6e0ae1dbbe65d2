package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.characters;
import static dev.fovea.model.grammar.Expression.choice;
import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.model.grammar.Expression.Both;
import dev.fovea.model.grammar.Expression.Call;
import dev.fovea.model.grammar.Expression.Characters;
import dev.fovea.model.grammar.Expression.Choice;
import dev.fovea.model.grammar.Expression.Except;
import dev.fovea.model.grammar.Expression.Literal;
import dev.fovea.model.grammar.Expression.Member;
import dev.fovea.model.grammar.Expression.Members;
import dev.fovea.model.grammar.Expression.Repeat;
import dev.fovea.model.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.List;

/**
 * How values are spelled in JSON (RFC 8259). Where something is said of a string's characters, each has one spelling: as it
 * is, and with an escape only where it must have one.
 */
final class JsonText {
    private static final CodePoints CONTROLS = CodePoints.of(0, 0x1f);
    private static final CodePoints PLAIN = CodePoints.of("\"\\").union(CONTROLS).complement();
    private static final Expression HEX = new Characters(CodePoints.of('0', '9').union(CodePoints.of('a', 'f'))
            .union(CodePoints.of('A', 'F')));

    private JsonText() {}

    /** A string with whatever spellings JSON has, quotes around it. */
    static Expression anyString() {
        Expression octal = characters('0', '7');
        Expression unit = choice(
                sequence(characters("0123456789abcefABCEF"), HEX, HEX, HEX),
                sequence(characters("dD"), octal, HEX, HEX),
                sequence(characters("dD"), characters("89abAB"), HEX, HEX, literal("\\u"), characters("dD"),
                        characters("cdefCDEF"), HEX, HEX));
        Expression escape = sequence(literal("\\"), choice(characters("\"\\/bfnrt"), sequence(literal("u"), unit)));
        return quoted(choice(new Characters(PLAIN), escape).times(0, -1));
    }

    /** A string of so many characters, quotes around it. */
    static Expression string(int least, int most) {
        return quoted(encoded(new Characters(CodePoints.ALL).times(least, most)));
    }

    /** The strings that an expression matches, quotes around them. */
    static Expression string(Expression expression) {
        return quoted(encoded(expression));
    }

    private static Expression quoted(Expression inside) {
        return sequence(literal("\""), inside, literal("\""));
    }

    private static Expression encoded(Expression expression) {
        return switch (expression) {
            case Literal(String text) -> literal(escaped(text));
            case Characters(CodePoints set) -> encoded(set);
            case Sequence(List<Expression> parts) -> new Sequence(parts.stream().map(JsonText::encoded).toList());
            case Choice(List<Expression> parts) -> new Choice(parts.stream().map(JsonText::encoded).toList());
            case Repeat(Expression part, int least, int most) -> new Repeat(encoded(part), least, most);
            case Both(Expression one, Expression other) -> new Both(encoded(one), encoded(other));
            case Except(Expression all, Expression not) -> new Except(encoded(all), encoded(not));
            case Members(List<Member> members, Expression separator) -> new Members(members.stream()
                    .map(member -> new Member(encoded(member.expression()), member.required())).toList(), encoded(separator));
            case Call call -> throw new IllegalArgumentException("a call in a string: " + call);
        };
    }

    private static Expression encoded(CodePoints set) {
        List<Expression> all = new ArrayList<>();
        all.add(new Characters(set.minus(PLAIN.complement())));
        for (int c = 0; c <= '\\'; c++) {
            if (set.contains(c) && !PLAIN.contains(c)) {
                all.add(literal(escaped(Character.toString(c))));
            }
        }
        return all.size() == 1 ? all.getFirst() : new Choice(all);
    }

    /** With the escapes that must be. */
    static String escaped(String text) {
        var out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                        out.append(String.format("\\u%04x", c));
                    } else {
                        out.appendCodePoint(c);
                    }
                }
            }
        });
        return out.toString();
    }

    /** A value as it is written, without spaces. */
    static String spelled(JsonElement value) {
        return switch (value) {
            case JsonNull _ -> "null";
            case JsonPrimitive primitive when primitive.isString() -> '"' + escaped(primitive.getAsString()) + '"';
            case JsonArray array -> {
                List<String> parts = new ArrayList<>();
                array.forEach(one -> parts.add(spelled(one)));
                yield '[' + String.join(",", parts) + ']';
            }
            case JsonObject object -> {
                List<String> parts = new ArrayList<>();
                object.entrySet().forEach(one -> parts.add('"' + escaped(one.getKey()) + "\":" + spelled(one.getValue())));
                yield '{' + String.join(",", parts) + '}';
            }
            default -> value.getAsString();
        };
    }
}
