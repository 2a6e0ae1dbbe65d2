package dev.fovea.langchain4j;

import dev.fovea.model.TextGenerator;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** As {@link FoveaChatModelListenerTest}, of answers that are told as they come. */
class FoveaStreamingChatModelListenerTest extends AbstractStreamingChatModelListenerIT {
    @TempDir
    private Path directory;

    @Override
    protected StreamingChatModel createModel(ChatModelListener listener) {
        return model(ChatModels.GENERATOR, listener);
    }

    private StreamingChatModel model(TextGenerator generator, ChatModelListener listener) {
        return FoveaStreamingChatModel.builder().generator(generator, ChatModels.NAME).listeners(List.of(listener))
                .defaultRequestParameters(ChatRequestParameters.builder().temperature(temperature()).topP(topP())
                        .maxOutputTokens(maxTokens()).build()).build();
    }

    @Override
    protected StreamingChatModel createFailingModel(ChatModelListener listener) {
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
