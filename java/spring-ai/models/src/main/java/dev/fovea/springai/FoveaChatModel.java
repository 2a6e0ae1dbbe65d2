package dev.fovea.springai;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatListener;
import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.ToolCall;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.MediaContent;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.scheduler.Schedulers;

/**
 * Answers by a {@link TextGenerator}: {@link #call} on the thread that calls, {@link #stream} on one of Reactor's bounded
 * elastic scheduler. Safe to share between threads. The generator stays its owner's, who closes it.
 *
 * <p>Chat templates need {@code com.hubspot.jinjava:jinjava} on the class path. Media are refused with an
 * {@link UnsupportedOperationException}.
 *
 * <p>An answer tells which tools the model wants to be called; the framework's advisor calls them. Options with an output schema
 * bind the answer to it. Where there are both, the answer is bound to it or is a call.
 *
 * <p>What a model thinks first is no part of a message's text: it is {@code thinking} in the metadata of the generation, in a stream
 * piece by piece, and whole in that of the message, from where the next prompt takes it to the model's template. Calls of
 * tools are in the last piece of a stream, and text that may be the begin of one is kept until that is certain.
 */
public final class FoveaChatModel implements ChatModel {
    private static final ChatModelObservationConvention CONVENTION = new DefaultChatModelObservationConvention();
    /** As the framework's model for Ollama has it. */
    private static final String THINKING = "thinking";

    private final TextGenerator generator;
    private final String name;
    private final FoveaChatOptions options;
    private final ObservationRegistry observations;
    private volatile ChatModelObservationConvention convention = CONVENTION;

    /** A chat model that takes the likeliest tokens, at most 256, where a prompt says nothing else. */
    public FoveaChatModel(TextGenerator generator, String name) {
        this(generator, name, ChatOptions.builder().build(), ObservationRegistry.NOOP);
    }

    /**
     * A chat model.
     *
     * @param name what requests, answers and observations call the model
     * @param options what holds where a prompt says nothing else
     * @param observations who hears of each call
     */
    public FoveaChatModel(TextGenerator generator, String name, ChatOptions options, ObservationRegistry observations) {
        this.generator = Objects.requireNonNull(generator, "generator");
        this.name = Objects.requireNonNull(name, "name");
        this.options = FoveaChatOptions.builder().model(name).combineWith(options.mutate()).build();
        this.observations = Objects.requireNonNull(observations, "observations");
    }

    /** Names observations by another convention. */
    public void setObservationConvention(ChatModelObservationConvention convention) {
        this.convention = Objects.requireNonNull(convention, "convention");
    }

    @Override
    public ChatOptions getOptions() {
        return options;
    }

    /**
     * The answer to a prompt.
     *
     * @throws IllegalArgumentException if the prompt names another model, is longer than the context, or an option is not
     *     what it may be
     * @throws UnsupportedOperationException if it has media, or there is no chat template
     */
    @Override
    public ChatResponse call(Prompt prompt) {
        Prompt whole = whole(prompt);
        ChatModelObservationContext context = context(whole, false);
        return observation(context).observe(() -> {
            ChatResponse response = last(answer(whole, (_, _, _) -> true), false);
            context.setResponse(response);
            return response;
        });
    }

    /** As {@link #call}, in pieces as they are written; the last one says why the answer ended. Cancelling ends it. */
    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.deferContextual(view -> {
            Prompt whole = whole(prompt);
            ChatModelObservationContext context = context(whole, true);
            Observation observation = observation(context);
            observation.parentObservation(view.getOrDefault(ObservationThreadLocalAccessor.KEY, null));
            observation.start();
            Flux<ChatResponse> pieces = Flux.<ChatResponse>create(sink -> write(whole, sink))
                    .subscribeOn(Schedulers.boundedElastic())
                    .doOnError(observation::error)
                    .doFinally(_ -> observation.stop())
                    .contextWrite(written -> written.put(ObservationThreadLocalAccessor.KEY, observation));
            return new MessageAggregator().aggregate(pieces, context::setResponse);
        });
    }

    private void write(Prompt prompt, FluxSink<ChatResponse> sink) {
        try {
            ChatAnswer answer = answer(prompt, (part, text, _) -> {
                if (!text.isEmpty()) {
                    sink.next(piece(part, text.toString()));
                }
                return !sink.isCancelled();
            });
            sink.next(last(answer, true));
            sink.complete();
        } catch (Throwable e) {
            sink.error(e);
        }
    }

    private static ChatResponse piece(Part part, String text) {
        return new ChatResponse(List.of(part == Part.CONTENT ? new Generation(new AssistantMessage(text))
                : new Generation(new AssistantMessage(""), ChatGenerationMetadata.builder().metadata(THINKING, text).build())));
    }

    private Observation observation(ChatModelObservationContext context) {
        return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(convention, CONVENTION, () -> context,
                observations);
    }

    private static ChatModelObservationContext context(Prompt prompt, boolean streaming) {
        return ChatModelObservationContext.builder().prompt(prompt).provider(FoveaEmbeddingModel.PROVIDER).streaming(streaming)
                .build();
    }

    /** A prompt with all options. */
    private Prompt whole(Prompt prompt) {
        ChatOptions asked = prompt.getOptions();
        if (asked != null && asked.getModel() != null && !asked.getModel().equals(name)) {
            throw new IllegalArgumentException("expected a prompt for the model " + name + ", got " + asked.getModel());
        }
        return asked == null ? new Prompt(prompt.getInstructions(), options)
                : new Prompt(prompt.getInstructions(), options.mutate().combineWith(asked.mutate()).build());
    }

    private ChatAnswer answer(Prompt prompt, ChatListener listener) {
        FoveaChatOptions asked = (FoveaChatOptions) prompt.getOptions();
        SamplingOptions sampling = sampling(asked);
        Chat chat = Chat.of(prompt.getInstructions().stream().flatMap(FoveaChatModel::messages).toList()).withTools(tools(asked));
        OutputFormat format = asked.getOutputSchema() == null ? null : OutputFormat.jsonSchema(asked.getOutputSchema());
        return generator.answer(chat, sampling.withFormat(format), listener);
    }

    /** Tools as templates of chats take them. */
    private static List<Map<String, Object>> tools(FoveaChatOptions options) {
        List<Map<String, Object>> tools = new ArrayList<>();
        for (ToolCallback tool : options.getToolCallbacks() == null ? List.<ToolCallback>of() : options.getToolCallbacks()) {
            ToolDefinition definition = tool.getToolDefinition();
            Map<String, Object> function = new LinkedHashMap<>();
            function.put("name", definition.name());
            function.put("description", definition.description());
            // A schema is an object in JSON, as arguments are.
            function.put("parameters", new ToolCall("", definition.name(), definition.inputSchema()).values());
            Map<String, Object> schema = new LinkedHashMap<>();
            schema.put("type", "function");
            schema.put("function", function);
            tools.add(schema);
        }
        return tools;
    }

    private static Stream<ChatMessage> messages(Message message) {
        if (message instanceof MediaContent media && !media.getMedia().isEmpty()) {
            throw new UnsupportedOperationException("media are not supported, got them in a message of the "
                    + message.getMessageType().getValue());
        }
        return switch (message.getMessageType()) {
            case SYSTEM -> Stream.of(ChatMessage.system(message.getText()));
            case USER -> Stream.of(ChatMessage.user(message.getText()));
            case ASSISTANT -> Stream.of(new ChatAnswer(message.getText() == null ? "" : message.getText(),
                    message.getMetadata().get(THINKING) instanceof String thought ? thought : "",
                    message instanceof AssistantMessage answer ? calls(answer) : List.of(), null).message());
            case TOOL -> ((ToolResponseMessage) message).getResponses().stream().map(response -> ChatMessage.tool(
                    new ToolCall(response.id(), response.name(), "{}"), response.responseData()));
        };
    }

    private static List<ToolCall> calls(AssistantMessage answer) {
        return answer.getToolCalls().stream().map(call -> new ToolCall(call.id(), call.name(),
                call.arguments() == null || call.arguments().isBlank() ? "{}" : call.arguments())).toList();
    }

    private static SamplingOptions sampling(ChatOptions options) {
        SamplingOptions sampling = SamplingOptions.greedy();
        if (options.getMaxTokens() != null) {
            sampling = sampling.withMaxTokens(options.getMaxTokens());
        }
        if (options.getTemperature() != null) {
            sampling = sampling.withTemperature(options.getTemperature().floatValue());
        }
        if (options.getTopK() != null) {
            sampling = sampling.withTopK(options.getTopK());
        }
        if (options.getTopP() != null) {
            sampling = sampling.withTopP(options.getTopP().floatValue());
        }
        if (options.getStopSequences() != null) {
            sampling = sampling.withStops(options.getStopSequences().toArray(String[]::new));
        }
        return sampling.withPenalties(1, orZero(options.getPresencePenalty()), orZero(options.getFrequencyPenalty()))
                .withSeed(ThreadLocalRandom.current().nextLong());
    }

    private static float orZero(Double value) {
        return value == null ? 0 : value.floatValue();
    }

    /**
     * What is known once an answer is complete.
     *
     * @param told whether pieces have told already what it thinks and says
     */
    private ChatResponse last(ChatAnswer answer, boolean told) {
        GeneratedText generated = answer.generated();
        String reason = !answer.toolCalls().isEmpty() ? "tool_calls" : switch (generated.finish()) {
            case END, STOP -> "stop";
            case LENGTH, CONTEXT -> "length";
            case CANCELLED, TIMEOUT -> generated.finish().name().toLowerCase(Locale.ROOT);
        };
        boolean thought = !answer.reasoning().isEmpty();
        var message = AssistantMessage.builder().content(told ? "" : answer.content())
                .properties(thought ? Map.of(THINKING, answer.reasoning()) : Map.of()).toolCalls(answer.toolCalls().stream()
                .map(call -> new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.arguments())).toList()).build();
        var metadata = ChatGenerationMetadata.builder().finishReason(reason);
        if (thought && !told) {
            metadata.metadata(THINKING, answer.reasoning());
        }
        return new ChatResponse(List.of(new Generation(message, metadata.build())), ChatResponseMetadata.builder().model(name)
                .usage(new DefaultUsage(generated.promptTokens(), generated.tokens().length)).build());
    }
}
