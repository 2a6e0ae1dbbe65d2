package dev.fovea.server.openai;

import com.google.gson.JsonObject;
import dev.fovea.server.json.JsonBody;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tools that a model may call.
 *
 * @param tools as templates of chats take them
 * @param isForced whether the answer must be a call of one
 */
record ToolChoice(List<Map<String, Object>> tools, boolean isForced) {
    private static final Set<String> FIELDS = Set.of("type", "function");
    private static final Set<String> FUNCTION_FIELDS = Set.of("name", "description", "parameters", "strict");
    private static final List<String> CHOICES = List.of("none", "auto", "required");

    static ToolChoice of(JsonBody body) {
        List<Map<String, Object>> tools = new ArrayList<>();
        Set<String> names = new HashSet<>();
        if (body.has("tools")) {
            for (JsonBody tool : body.objects("tools")) {
                tool.allowOnly(FIELDS).choice("type", "", List.of("function"));
                JsonBody function = tool.object("function").allowOnly(FUNCTION_FIELDS);
                if (function.string("name").isEmpty() || !names.add(function.string("name"))) {
                    throw function.wrong("name", "a name that no tool before has");
                }
                if (function.has("parameters")) {
                    function.object("parameters");
                }
                function.bool("strict", false);
                tools.add(tool.plain());
            }
        }
        if (body.get("tool_choice") instanceof JsonObject) {
            String name = body.object("tool_choice").allowOnly(FIELDS).object("function").string("name");
            List<Map<String, Object>> named = tools.stream().filter(tool -> name(tool).equals(name)).toList();
            if (named.isEmpty()) {
                throw body.wrong("tool_choice", "the name of one of the tools");
            }
            return new ToolChoice(named, true);
        }
        String choice = body.choice("tool_choice", tools.isEmpty() ? "none" : "auto", CHOICES);
        if (choice.equals("required") && tools.isEmpty()) {
            throw body.wrong("tool_choice", "none or auto where there are no tools");
        }
        return new ToolChoice(choice.equals("none") ? List.of() : tools, choice.equals("required"));
    }

    private static String name(Map<String, Object> tool) {
        return tool.get("function") instanceof Map<?, ?> function ? String.valueOf(function.get("name")) : "";
    }
}
