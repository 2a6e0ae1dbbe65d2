package dev.fovea.model.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.util.ForLoop;
import com.hubspot.jinjava.util.ObjectIterator;
import com.hubspot.jinjava.util.ObjectTruthValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A Jinja template of a chat, by the library Jinjava. What it renders is bounded, and it reaches nothing but the values that
 * it is given: see {@link PlainValues}. Safe to share between threads.
 */
public final class JinjaTemplate {
    private static final int MAX_OUTPUT = 1 << 22;
    private static final int MAX_ELEMENTS = 1 << 16;
    private static final int MAX_RANGE = 1 << 10;
    private static final int MAX_DEPTH = 24;

    /** The name of {@link #pick} in templates. */
    static final String PICK = "__pick";

    /**
     * What Jinja drops: white space at the beginning of a line before a block or a comment, which the library would drop
     * anywhere before one, and the last end of a line, which it would keep.
     */
    private static final Pattern DROPPED = Pattern.compile("(?md)^[ \\t]+(?=\\{[%#](?!\\+))|\\r?\\n\\z");

    private final String source;
    private final Jinjava jinjava;

    /** Of its source. */
    public JinjaTemplate(String source) {
        this.source = DROPPED.matcher(TemplateSource.of(source)).replaceAll("");
        LegacyOverrides python = LegacyOverrides.newBuilder().withEvaluateMapKeys(true).withIterateOverMapKeys(true)
                .withUsePyishObjectMapper(true)
                .withUseNaturalOperatorPrecedence(true).withParseWhitespaceControlStrictly(true)
                .withAllowAdjacentTextNodes(true).withUseTrimmingForNotesAndExpressions(true)
                .withKeepNullableLoopValues(true).withHandleBackslashInQuotesOnly(true).build();
        JinjavaConfig config = JinjavaConfig.newBuilder().withTrimBlocks(true)
                .withNestedInterpretationEnabled(false).withMaxRenderDepth(MAX_DEPTH).withMaxOutputSize(MAX_OUTPUT)
                .withMaxStringLength(MAX_OUTPUT).withMaxListSize(MAX_ELEMENTS).withMaxMapSize(MAX_ELEMENTS)
                .withRangeLimit(MAX_RANGE).withElResolver(new PlainValues()).withLegacyOverrides(python)
                .withDisabled(Map.of(Context.Library.TAG, Set.of("include", "import", "from", "extends"))).build();
        jinjava = new Jinjava(config);
        jinjava.getGlobalContext().registerTag(new CountedLoops());
        jinjava.getGlobalContext().registerFilter(new ToJson());
        jinjava.getGlobalContext().registerFilter(new Items());
        jinjava.getGlobalContext().registerFunction(new ELFunctionDefinition("", PICK, JinjaTemplate.class, "pick",
                String.class, Object.class, String.class));
        jinjava.getGlobalContext().registerFunction(
                new ELFunctionDefinition("", "raise_exception", JinjaTemplate.class, "raise", String.class));
    }

    /** What a template calls to refuse messages. */
    public static String raise(String message) {
        throw new Refusal(message);
    }

    /** The elements of a list for which a condition holds, which calls them by these names. */
    public static List<Object> pick(String names, Object list, String condition) {
        JinjavaInterpreter interpreter = JinjavaInterpreter.getCurrent();
        List<Object> picked = new ArrayList<>();
        ForLoop all = ObjectIterator.getLoop(list);
        while (all.hasNext()) {
            Object element = all.next();
            String[] targets = names.split("\\s*,\\s*");
            try (var _ = interpreter.enterNonStackingScope()) {
                for (int i = 0; i < targets.length; i++) {
                    interpreter.getContext().put(targets[i], targets.length == 1 ? element : ((List<?>) element).get(i));
                }
                if (ObjectTruthValue.evaluate(interpreter.resolveELExpression(condition, -1))) {
                    picked.add(element);
                }
            }
        }
        return picked;
    }

    /** What a template says against messages. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    /**
     * The text that it makes of values.
     *
     * @throws IllegalArgumentException if the template refuses them, fails, or makes too much
     */
    public String render(Map<String, ?> values) {
        CountedLoops.start();
        RenderResult result = jinjava.renderForResult(source, values);
        for (TemplateError error : result.getErrors()) {
            if (error.getSeverity() == TemplateError.ErrorType.FATAL) {
                Throwable cause = error.getException();
                while (cause != null && !(cause instanceof Refusal)) {
                    cause = cause.getCause();
                }
                throw new IllegalArgumentException("the chat template "
                        + (cause == null ? "fails: " + error.getMessage() : "refuses the messages: " + cause.getMessage()));
            }
        }
        return result.getOutput();
    }

    /** Keys and values of a map. */
    private static final class Items implements Filter {
        @Override
        public String getName() {
            return "items";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
            return value instanceof Map<?, ?> map ? PlainValues.items(map) : List.of();
        }
    }

    /** As transformers has it: {@code json.dumps(x, ensure_ascii=False, indent=…)}. */
    private static final class ToJson implements Filter {
        @Override
        public String getName() {
            return "tojson";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
            return PythonJson.of(value, indent(arguments));
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, Object[] arguments, Map<String, Object> named) {
            Object indent = named.getOrDefault("indent", arguments.length > 0 ? arguments[0] : null);
            return PythonJson.of(value, indent instanceof Number number ? number.intValue() : 0);
        }

        private static int indent(String... arguments) {
            return arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        }
    }
}
