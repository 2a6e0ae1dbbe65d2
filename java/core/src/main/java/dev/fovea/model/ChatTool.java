package dev.fovea.model;

import com.google.gson.Gson;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A tool of a chat.
 *
 * @param schema of its arguments, in JSON
 * @param isStrict whether the model must keep to the schema where it is free to call or not; as OpenAI's {@code strict}
 */
record ChatTool(String name, String schema, boolean isStrict) {
    private static final Gson JSON = new Gson();
    private static final String STRICT = "strict";
    private static final String ANY = "{\"type\": \"object\"}";

    /**
     * Those of a chat.
     *
     * @throws IllegalArgumentException if one has no name of its own, or {@code strict} is neither true nor false
     */
    static List<ChatTool> of(Chat chat) {
        List<ChatTool> tools = chat.tools().stream().map(ChatTool::of).toList();
        Set<String> names = new HashSet<>();
        for (ChatTool tool : tools) {
            if (tool.name.isEmpty() || !names.add(tool.name)) {
                throw new IllegalArgumentException("expected each tool to have a name of its own, got '" + tool.name + "'");
            }
        }
        return tools;
    }

    private static ChatTool of(Map<String, Object> tool) {
        Map<?, ?> function = function(tool);
        if (!(function.get("name") instanceof String name)) {
            throw new IllegalArgumentException("expected tools as {\"type\": \"function\", \"function\": {\"name\": …}}, got "
                    + JSON.toJson(tool));
        }
        Object strict = function.get(STRICT);
        if (strict != null && !(strict instanceof Boolean)) {
            throw new IllegalArgumentException("expected true or false as strict of the tool " + name + ", got " + JSON.toJson(strict));
        }
        Object parameters = function.get("parameters");
        return new ChatTool(name, parameters == null ? ANY : JSON.toJson(parameters), strict != null && (Boolean) strict);
    }

    private static Map<?, ?> function(Map<String, Object> tool) {
        return tool.get("function") instanceof Map<?, ?> inner ? inner : tool;
    }

    /**
     * The schemas of tools by their names.
     *
     * @param ifStrict whether those that are not strict take any object
     */
    static Map<String, String> schemas(List<ChatTool> tools, boolean ifStrict) {
        Map<String, String> schemas = new LinkedHashMap<>();
        tools.forEach(tool -> schemas.put(tool.name, ifStrict && !tool.isStrict ? ANY : tool.schema));
        return schemas;
    }

    /** A tool as templates take it: {@code strict} says how it is called, not what it does, so no model was trained on it. */
    static Map<String, Object> shown(Map<String, Object> tool) {
        if (!function(tool).containsKey(STRICT)) {
            return tool;
        }
        Map<String, Object> shown = new LinkedHashMap<>(tool);
        shown.remove(STRICT);
        if (tool.get("function") instanceof Map<?, ?> function) {
            Map<Object, Object> inner = new LinkedHashMap<>(function);
            inner.remove(STRICT);
            shown.put("function", inner);
        }
        return shown;
    }
}
