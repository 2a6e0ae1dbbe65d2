package dev.fovea.langchain4j;

import dev.fovea.model.TextGenerator;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's own suite for who hears of chats. A model that is closed fails. */
class FoveaChatModelListenerTest extends AbstractChatModelListenerIT {
    @TempDir
    private Path directory;

    @Override
    protected ChatModel createModel(ChatModelListener listener) {
        return model(ChatModels.GENERATOR, listener);
    }

    private ChatModel model(TextGenerator generator, ChatModelListener listener) {
        return FoveaChatModel.builder().generator(generator, ChatModels.NAME).listeners(List.of(listener))
                .defaultRequestParameters(ChatRequestParameters.builder().temperature(temperature()).topP(topP())
                        .maxOutputTokens(maxTokens()).build()).build();
    }

    @Override
    protected ChatModel createFailingModel(ChatModelListener listener) {
        return model(ChatModels.closed(directory), listener);
    }

    @Override
    protected String modelName() {
        return ChatModels.NAME;
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
        return IllegalStateException.class;
    }
}
