package dev.fovea.springai;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.TextListener;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.UserMessage;
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
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.scheduler.Schedulers;

/**
 * Answers by a {@link TextGenerator}: {@link #call} on the thread that calls, {@link #stream} on one of Reactor's bounded
 * elastic scheduler. Safe to share between threads. The generator stays its owner's, who closes it.
 *
 * <p>Chat templates need {@code com.hubspot.jinjava:jinjava} on the class path. Tools, their answers and media are refused
 * with an {@link UnsupportedOperationException}.
 */
public final class FoveaChatModel implements ChatModel {
    private static final ChatModelObservationConvention CONVENTION = new DefaultChatModelObservationConvention();

    private final TextGenerator generator;
    private final String name;
    private final ChatOptions options;
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
        this.options = ChatOptions.builder().model(name).combineWith(options.mutate()).build();
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
     * @throws UnsupportedOperationException if it has tools or media, or there is no chat template
     */
    @Override
    public ChatResponse call(Prompt prompt) {
        Prompt whole = whole(prompt);
        ChatModelObservationContext context = context(whole, false);
        return observation(context).observe(() -> {
            ChatResponse response = last(answer(whole, (_, _) -> true), true);
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
            GeneratedText answer = answer(prompt, (text, _) -> {
                if (!text.isEmpty()) {
                    sink.next(new ChatResponse(List.of(new Generation(new AssistantMessage(text.toString())))));
                }
                return !sink.isCancelled();
            });
            sink.next(last(answer, false));
            sink.complete();
        } catch (Throwable e) {
            sink.error(e);
        }
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
        if (asked instanceof ToolCallingChatOptions tools && tools.getToolCallbacks() != null
                && !tools.getToolCallbacks().isEmpty()) {
            throw new UnsupportedOperationException("tools are not supported, got " + tools.getToolCallbacks().size());
        }
        if (asked != null && asked.getModel() != null && !asked.getModel().equals(name)) {
            throw new IllegalArgumentException("expected a prompt for the model " + name + ", got " + asked.getModel());
        }
        return asked == null ? new Prompt(prompt.getInstructions(), options)
                : new Prompt(prompt.getInstructions(), options.mutate().combineWith(asked.mutate()).build());
    }

    private GeneratedText answer(Prompt prompt, TextListener listener) {
        List<ChatMessage> messages = prompt.getInstructions().stream().map(FoveaChatModel::message).toList();
        return generator.chat(Chat.of(messages), sampling(prompt.getOptions()), listener);
    }

    private static ChatMessage message(Message message) {
        if (message instanceof UserMessage user && !user.getMedia().isEmpty()
                || message instanceof AssistantMessage answer && (answer.hasToolCalls() || !answer.getMedia().isEmpty())) {
            throw new UnsupportedOperationException("media and calls of tools are not supported, got them in a message of the "
                    + message.getMessageType().getValue());
        }
        return switch (message.getMessageType()) {
            case SYSTEM -> ChatMessage.system(message.getText());
            case USER -> ChatMessage.user(message.getText());
            case ASSISTANT -> ChatMessage.assistant(message.getText());
            case TOOL -> throw new UnsupportedOperationException("answers of tools are not supported, got a message of the type "
                    + message.getMessageType().getValue());
        };
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

    /** What is known once an answer is complete; with its text, or behind the pieces of it. */
    private ChatResponse last(GeneratedText answer, boolean withText) {
        String reason = switch (answer.finish()) {
            case END, STOP -> "stop";
            case LENGTH, CONTEXT -> "length";
            case CANCELLED, TIMEOUT -> answer.finish().name().toLowerCase(Locale.ROOT);
        };
        var generation = new Generation(new AssistantMessage(withText ? answer.text() : ""),
                ChatGenerationMetadata.builder().finishReason(reason).build());
        return new ChatResponse(List.of(generation), ChatResponseMetadata.builder().model(name)
                .usage(new DefaultUsage(answer.promptTokens(), answer.tokens().length)).build());
    }
}
