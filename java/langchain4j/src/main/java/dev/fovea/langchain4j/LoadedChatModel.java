package dev.fovea.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import java.util.Set;

/** What both kinds of chat models tell of themselves. */
abstract sealed class LoadedChatModel implements AutoCloseable permits FoveaChatModel, FoveaStreamingChatModel {
    final ChatBuilder.Loaded loaded;

    LoadedChatModel(ChatBuilder.Loaded loaded) {
        this.loaded = loaded;
    }

    /** What holds where a request says nothing else; the model's name is in it. */
    public ChatRequestParameters defaultRequestParameters() {
        return loaded.parameters();
    }

    /** JSON by a schema. */
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }

    /** Who hears of requests, responses and errors. */
    public List<ChatModelListener> listeners() {
        return loaded.listeners();
    }

    /** Closes the generator if this has loaded it: at once, or when the calls in progress are done. */
    @Override
    public void close() {
        loaded.close();
    }
}
