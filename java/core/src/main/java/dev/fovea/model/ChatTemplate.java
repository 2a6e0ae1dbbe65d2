package dev.fovea.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.chat.JinjaTemplate;
import dev.fovea.text.SpecialToken;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What makes the text of a chat that a model was trained on: its own template in the language Jinja, as transformers
 * renders it. The library for that is loaded when the first chat asks for it.
 */
final class ChatTemplate {
    private static final int MAX_BYTES = 1 << 20;

    private final String source;
    /** Where it is from. */
    private final Path place;
    private final Map<String, Object> tokens;
    private volatile JinjaTemplate template;

    private ChatTemplate(String source, Path place, Tokenizer tokenizer) {
        this.source = source;
        this.place = place;
        this.tokens = Map.of("bos_token", text(tokenizer, SpecialToken.BOS), "eos_token", text(tokenizer, SpecialToken.EOS));
    }

    private static String text(Tokenizer tokenizer, SpecialToken role) {
        return tokenizer.id(role) < 0 ? "" : tokenizer.text(tokenizer.id(role));
    }

    /** That of a directory: {@code chat_template.jinja}, or {@code chat_template} of {@code tokenizer_config.json}; or null. */
    static ChatTemplate of(Path folder, Tokenizer tokenizer) throws IOException {
        Path file = folder.resolve("chat_template.jinja");
        if (Files.exists(file)) {
            if (Files.size(file) > MAX_BYTES) {
                throw new FormatException(file, -1, "template", "expected at most " + MAX_BYTES + " bytes, got " + Files.size(file));
            }
            return new ChatTemplate(Files.readString(file), file, tokenizer);
        }
        Path config = folder.resolve("tokenizer_config.json");
        JsonObject json = Files.exists(config) && JsonFile.parse(config) instanceof JsonObject object ? object : new JsonObject();
        String source = source(json.get("chat_template"));
        return source == null ? null : new ChatTemplate(source, config, tokenizer);
    }

    /** A text, or of several named ones the default. */
    private static String source(JsonElement field) {
        if (field instanceof JsonArray array) {
            for (JsonElement one : array) {
                if (one instanceof JsonObject named && named.has("name") && named.get("name").getAsString().equals("default")) {
                    return named.get("template").getAsString();
                }
            }
            return null;
        }
        return field == null || field.isJsonNull() ? null : field.getAsString();
    }

    /** That of a GGUF file, or null. */
    static ChatTemplate of(GgufMetadata metadata, Path file, Tokenizer tokenizer) throws IOException {
        String source = metadata.string("tokenizer.chat_template", null);
        return source == null ? null : new ChatTemplate(source, file, tokenizer);
    }

    /**
     * The text that the model goes on with.
     *
     * @throws IllegalArgumentException if the template refuses the messages, or fails
     * @throws UnsupportedOperationException if there is no library for templates, or the chat has tools and the template does
     *     not mention any
     */
    String render(Chat chat) {
        return render(chat, true);
    }

    /** As {@link #render(Chat)}. {@code asksForAnswer} says whether the text ends where the model's answer begins. */
    String render(Chat chat, boolean asksForAnswer) {
        Map<String, Object> values = new LinkedHashMap<>(tokens);
        values.putAll(chat.variables());
        values.put("messages", chat.messages().stream().map(ChatTemplate::plain).toList());
        values.put("add_generation_prompt", asksForAnswer);
        if (!chat.tools().isEmpty()) {
            requireTools(chat);
            values.put("tools", chat.tools().stream().map(ChatTool::shown).toList());
        }
        try {
            return template().render(values);
        } catch (NoClassDefFoundError e) {
            throw new UnsupportedOperationException("chats need the library com.hubspot.jinjava:jinjava on the class path", e);
        }
    }

    private void requireTools(Chat chat) {
        if (!mentions("tools")) {
            throw new UnsupportedOperationException("the chat template of " + place + " does not mention tools, so the model would"
                    + " not hear of the " + chat.tools().size() + " of this chat");
        }
    }

    /** The template itself, in Jinja. */
    String source() {
        return source;
    }

    /** Whether its source has these words. */
    boolean mentions(String words) {
        return source.contains(words);
    }

    private JinjaTemplate template() {
        JinjaTemplate made = template;
        if (made == null) {
            made = new JinjaTemplate(source);
            template = made;
        }
        return made;
    }

    private static Map<String, Object> plain(ChatMessage message) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", message.role());
        fields.put("content", message.content());
        fields.putAll(message.more());
        return fields;
    }
}
