package dev.fovea.model;

import dev.fovea.model.chat.CallFormat;
import dev.fovea.model.grammar.CompiledFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * What an answer must look like: the model chooses among the tokens that may come next, and ends where the answer may end.
 * One that ends before that, by {@link SamplingOptions#maxTokens}, a stop text or a listener, is the beginning of such an
 * answer.
 *
 * <pre>{@code
 * var format = OutputFormat.jsonSchema("""
 *         {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
 *          "required": ["city", "days"]}""");
 * model.generate(prompt, SamplingOptions.greedy().withFormat(format)).text(); // {"city": "Oslo", "days": 3}
 * }</pre>
 *
 * <p>Immutable, and safe to share. A model computes once for a format which tokens may come where, and finds that again by
 * an equal format; formats are equal if they were made of equal texts.
 */
public final class OutputFormat {
    private static final String JSON = "JSON schema";
    private static final KnownFormats KNOWN = new KnownFormats();

    private final String kind;
    private final List<String> source;
    private final CompiledFormat compiled;
    /** Behind thoughts that may begin, and behind those that have begun; null until asked for. */
    private final AtomicReferenceArray<OutputFormat> behindThoughts = new AtomicReferenceArray<>(2);

    OutputFormat(String kind, List<String> source, CompiledFormat compiled) {
        this.kind = kind;
        this.source = source;
        this.compiled = compiled;
    }

    private static OutputFormat of(String kind, List<String> source, Supplier<CompiledFormat> compile) {
        return KNOWN.get(kind, source, compile);
    }

    /**
     * JSON that is valid by a schema: {@code type}, {@code enum}, {@code const}, {@code properties} in the order of the
     * schema, {@code required}, {@code additionalProperties} (not written unless it is there), {@code items}, {@code
     * prefixItems}, {@code minItems}, {@code maxItems}, {@code minLength}, {@code maxLength}, {@code pattern}, {@code format}
     * ({@code date}, {@code time}, {@code date-time}, {@code email}, {@code hostname}, {@code ipv4}, {@code ipv6}, {@code
     * uri}, {@code uuid}), {@code minimum}, {@code maximum} and the exclusive ones, {@code anyOf}, {@code oneOf} where types,
     * values or a required property tell its schemas apart, {@code allOf}, and {@code $ref} into the schema itself, also in a
     * circle.
     *
     * @throws IllegalArgumentException if it is no schema, is too large, has no valid value, or has a keyword that is not
     *     supported; the message names it
     */
    public static OutputFormat jsonSchema(String schema) {
        return of(JSON, List.of(schema), () -> CompiledFormat.ofSchema(schema));
    }

    /** JSON, whatever it says: an object. */
    public static OutputFormat json() {
        return jsonSchema("{\"type\": \"object\"}");
    }

    /**
     * A text that a regular expression matches as a whole, by the rules of JavaScript without what looks around or back.
     *
     * @throws IllegalArgumentException if it is none, is too large or has what is not supported; the message says what
     */
    public static OutputFormat regex(String regex) {
        return of("regular expression", List.of(regex), () -> CompiledFormat.ofRegex(regex));
    }

    /**
     * One of these texts.
     *
     * @throws IllegalArgumentException if there is none, or they are too large
     */
    public static OutputFormat choice(String... choices) {
        List<String> all = List.of(choices);
        return of("choice", all, () -> CompiledFormat.ofChoice(all));
    }

    /**
     * A text by a grammar of llama.cpp, GBNF, from its rule {@code root} on.
     *
     * @throws IllegalArgumentException if it is none, is too large or matches nothing; the message says where
     */
    public static OutputFormat grammar(String gbnf) {
        return of("grammar", List.of(gbnf), () -> CompiledFormat.ofGrammar(gbnf));
    }

    /** A call of a tool; see {@link CompiledFormat#ofCall}. */
    static OutputFormat call(Map<String, String> tools, List<String> parts) {
        return of("call", source(tools, parts), () -> CompiledFormat.ofCall(tools, parts));
    }

    /** This, or a call of a tool; see {@link CompiledFormat#ofCall}. This is JSON. */
    OutputFormat orCall(Map<String, String> tools, List<String> parts) {
        List<String> all = new ArrayList<>(source);
        all.addAll(source(tools, parts));
        return of("call or " + kind, List.copyOf(all), () -> compiled.orCall(tools, parts));
    }

    /** Any text, with calls of tools among it; see {@link CompiledFormat#ofTextWithCalls}. */
    static OutputFormat textWithCalls(Map<String, String> tools, List<String> parts, CallFormat calls) {
        return of("text with calls as of " + calls, source(tools, parts),
                () -> CompiledFormat.ofTextWithCalls(tools, parts, calls.marker(), calls.needsMarker()));
    }

    /** Any text in which a mark is not. */
    static OutputFormat textWithout(String mark) {
        return of("text without", List.of(mark), () -> CompiledFormat.ofTextWithout(mark));
    }

    private static List<String> source(Map<String, String> tools, List<String> parts) {
        List<String> source = new ArrayList<>(parts);
        tools.forEach((name, schema) -> source.addAll(List.of(name, schema)));
        return List.copyOf(source);
    }

    /** This, behind what a model thinks first; see {@link CompiledFormat#behindThoughts}. */
    OutputFormat behindThoughts(boolean open) {
        OutputFormat known = behindThoughts.get(open ? 1 : 0);
        if (known == null) {
            known = new OutputFormat((open ? "the rest of thoughts, then " : "thoughts, then ") + kind, source,
                    compiled.behindThoughts(open));
            behindThoughts.set(open ? 1 : 0, known);
        }
        return known;
    }

    /** Whether a text of it is JSON by a schema. */
    boolean isJson() {
        return kind.equals(JSON);
    }

    CompiledFormat compiled() {
        return compiled;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OutputFormat format && kind.equals(format.kind) && source.equals(format.source);
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, source);
    }

    @Override
    public String toString() {
        return kind + " " + String.join(", ", source);
    }
}
