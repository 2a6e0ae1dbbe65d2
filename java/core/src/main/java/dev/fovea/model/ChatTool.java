package dev.fovea.model;

import com.google.gson.Gson;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A tool of a chat.
 *
 * @param parameters the schema of its arguments, in maps and lists; null for any object
 * @param isStrict whether the model must keep to the schema where it is free to call or not; as OpenAI's {@code strict}
 */
record ChatTool(String name, Object parameters, boolean isStrict) {
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
        return new ChatTool(name, function.get("parameters"), strict != null && (Boolean) strict);
    }

    private static Map<?, ?> function(Map<String, Object> tool) {
        return tool.get("function") instanceof Map<?, ?> inner ? inner : tool;
    }

    /** The names of tools. */
    static Set<String> names(List<ChatTool> tools) {
        return tools.stream().map(ChatTool::name).collect(Collectors.toSet());
    }

    /**
     * The schemas of tools in JSON, by their names.
     *
     * @param ifStrict whether those that are not strict take any object
     */
    static Map<String, String> schemas(List<ChatTool> tools, boolean ifStrict) {
        Map<String, String> schemas = new LinkedHashMap<>();
        for (ChatTool tool : tools) {
            boolean isFree = tool.parameters == null || ifStrict && !tool.isStrict;
            schemas.put(tool.name, isFree ? ANY : JSON.toJson(tool.parameters));
        }
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
