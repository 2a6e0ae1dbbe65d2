package dev.fovea.springai.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import dev.fovea.springai.FoveaChatModel;
import dev.fovea.springai.FoveaChatOptions;
import dev.fovea.springai.FoveaEmbeddingModel;
import dev.fovea.springai.FoveaEmbeddingOptions;
import dev.fovea.testing.ToyLanguageModel;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.ChatModelMeterObservationHandler;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.TokenCountBatchingStrategy;
import org.springframework.ai.embedding.observation.EmbeddingModelMeterObservationHandler;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.MimeTypeUtils;

/** The beans that properties make, what they compute, and what meters hear of it. */
@Tag("slow")
class FoveaAutoConfigurationTest {
    @TempDir
    private Path directory;

    private ApplicationContextRunner application;

    /** Observations that go to meters, as Spring Boot's own auto-configuration connects them. */
    @Configuration(proxyBeanMethods = false)
    static class Meters {
        @Bean
        MeterRegistry meters() {
            return new SimpleMeterRegistry();
        }

        @Bean
        ObservationRegistry observations(MeterRegistry meters) {
            ObservationRegistry registry = ObservationRegistry.create();
            registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(meters))
                    .observationHandler(new EmbeddingModelMeterObservationHandler(meters))
                    .observationHandler(new ChatModelMeterObservationHandler(meters));
            return registry;
        }
    }

    @BeforeEach
    void write() throws IOException {
        Path model = ToyLanguageModel.write(directory.resolve("toy"), "Berlin is the capital of Germany");
        application = new ApplicationContextRunner().withUserConfiguration(Meters.class)
                .withConfiguration(AutoConfigurations.of(FoveaEmbeddingAutoConfiguration.class, FoveaChatAutoConfiguration.class))
                .withPropertyValues("spring.ai.fovea.embedding.threads=1", "spring.ai.fovea.chat.threads=1",
                        "spring.ai.fovea.chat.model=" + model);
    }

    @Test
    void shouldRunOnTheVersionThatItClaims() throws IOException {
        try (InputStream in = EmbeddingModel.class.getResourceAsStream(
                "/META-INF/maven/org.springframework.ai/spring-ai-model/pom.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            assertThat(properties.getProperty("version")).isEqualTo(System.getProperty("spring.ai.version"));
        }
    }

    @Test
    void shouldEmbedAsTheEncoderDoesAndTellMeters() {
        application.withPropertyValues("spring.ai.model.chat=none").run(context -> {
            TextEncoder encoder = context.getBean(TextEncoder.class);
            EmbeddingModel model = context.getBean(EmbeddingModel.class);
            assertThat(model).isInstanceOf(FoveaEmbeddingModel.class);
            assertThat(model.dimensions()).isEqualTo(384);
            assertThat(model.embed("How do I reset my password?")).isEqualTo(encoder.encode("How do I reset my password?"));
            EmbeddingResponse few = model.call(new EmbeddingRequest(List.of("a", "b"),
                    EmbeddingOptions.builder().dimensions(64).build()));
            assertThat(few.getResults()).hasSize(2);
            assertThat(few.getResults().get(1).getOutput()).isEqualTo(encoder.shortened(encoder.encode("b"), 64));
            assertThat(few.getMetadata().getModel()).isEqualTo("all-minilm-l6-v2");
            assertThat(few.getMetadata().getUsage().getPromptTokens()).isEqualTo(6);

            MeterRegistry meters = context.getBean(MeterRegistry.class);
            var timer = meters.get("gen_ai.client.operation").tag("gen_ai.operation.name", "embedding")
                    .tag("gen_ai.request.model", "all-minilm-l6-v2").tag("gen_ai.response.model", "all-minilm-l6-v2").timer();
            assertThat(timer.count()).isEqualTo(2);
            assertThat(timer.getId().getTags().toString()).contains("fovea");
            assertThat(meters.get("gen_ai.client.token.usage").tag("gen_ai.token.type", "input").counter().count())
                    .isEqualTo(6 + encoder.embedAll(List.of("How do I reset my password?")).getFirst().tokens());
            assertThatThrownBy(() -> model.call(new EmbeddingRequest(List.of("a"),
                    EmbeddingOptions.builder().model("other").build())))
                    .hasMessage("expected a request for the model all-minilm-l6-v2, got other");
            assertThatThrownBy(() -> model.call(new EmbeddingRequest(List.of(), null))).hasMessageContaining("got 0");
        });
    }

    @Test
    void shouldPutOtherWordsBeforeDocumentsThanBeforeQueries() {
        application.withPropertyValues("spring.ai.model.chat=none", "spring.ai.fovea.embedding.query-prompt=query: ",
                "spring.ai.fovea.embedding.document-prompt=passage: ").run(context -> {
            TextEncoder encoder = context.getBean(TextEncoder.class);
            EmbeddingModel model = context.getBean(EmbeddingModel.class);
            float[] query = encoder.embedAll(List.of("rain"), "query: ").getFirst().vector();
            float[] passage = encoder.embedAll(List.of("rain"), "passage: ").getFirst().vector();
            assertThat(model.embed("rain")).isEqualTo(query).isNotEqualTo(passage);
            assertThat(model.embed(new Document("rain"))).isEqualTo(passage);
            assertThat(model.embed(List.of(new Document("sun"), new Document("rain")), null, new TokenCountBatchingStrategy())
                    .getLast()).isEqualTo(passage);
            assertThat(model.call(new EmbeddingRequest(List.of("rain"), FoveaEmbeddingOptions.NONE.withPrompt("passage: ")))
                    .getResult().getOutput()).isEqualTo(passage);
        });
    }

    @Test
    void shouldAnswerAndStreamAndTellMeters() {
        application.withPropertyValues("spring.ai.model.embedding=none", "spring.ai.fovea.chat.max-tokens=4").run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            ChatResponse answer = model.call(new Prompt("What is the capital ?"));
            assertThat(answer.getResult().getOutput().getText().strip()).isEqualTo("Berlin is the capital");
            assertThat(answer.getResult().getMetadata().getFinishReason()).isEqualTo("length");
            assertThat(answer.getMetadata().getUsage().getPromptTokens()).isEqualTo(6);
            assertThat(answer.getMetadata().getUsage().getCompletionTokens()).isEqualTo(4);
            assertThat(answer.getMetadata().getModel()).isEqualTo("toy");

            List<ChatResponse> pieces = model.stream(new Prompt("What ?", ChatOptions.builder().maxTokens(50).temperature(0.1)
                    .topK(4).topP(0.9).presencePenalty(0.1).frequencyPenalty(0.1).build())).collectList().block();
            StringBuilder text = new StringBuilder();
            pieces.forEach(piece -> text.append(piece.getResult().getOutput().getText()));
            assertThat(text.toString().strip()).isEqualTo("Berlin is the capital of Germany");
            assertThat(pieces).hasSizeGreaterThan(5);
            assertThat(pieces.getLast().getResult().getMetadata().getFinishReason()).isEqualTo("stop");
            assertThat(pieces.getLast().getMetadata().getUsage().getCompletionTokens()).isEqualTo(7);
            assertThat(model.stream(new Prompt("What ?")).blockFirst().getResult().getOutput().getText()).isEqualTo("Berlin");
            assertThat(model.call(new Prompt("What ?", ChatOptions.builder().stopSequences(List.of("the")).build())).getResult()
                    .getOutput().getText()).isEqualTo("Berlin is ");

            MeterRegistry meters = context.getBean(MeterRegistry.class);
            var timer = meters.get("gen_ai.client.operation").tag("gen_ai.operation.name", "chat")
                    .tag("gen_ai.request.model", "toy").tag("gen_ai.response.model", "toy").timer();
            var written = meters.get("gen_ai.client.token.usage").tag("gen_ai.token.type", "output").counter();
            for (int i = 0; i < 1000 && (timer.count() < 3 || written.count() < 4 + 7 + 3); i++) {
                Thread.sleep(10); // the framework ends the observation of a stream behind its last piece
            }
            assertThat(timer.count()).isGreaterThanOrEqualTo(3);
            assertThat(written.count()).isGreaterThanOrEqualTo(4 + 7 + 3);
        });
    }

    @Test
    void shouldRefuseWhatTheModelCannotDo() {
        application.withPropertyValues("spring.ai.model.embedding=none").run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            assertThatThrownBy(() -> model.call(new Prompt("a", ChatOptions.builder().model("other").build())))
                    .hasMessage("expected a prompt for the model toy, got other");
            assertThatThrownBy(() -> model.stream(new Prompt("a", ChatOptions.builder().topP(2.0).build())).blockLast())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("top_p");
            assertThatThrownBy(() -> model.call(new Prompt(List.of(UserMessage.builder().text("a")
                    .media(new Media(MimeTypeUtils.IMAGE_PNG, URI.create("file:a.png"))).build()))))
                    .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("media");
        });
    }

    private static final ToolCallback WEATHER = tool("weather");

    private static ToolCallback tool(String name) {
        return new ToolCallback() {
            @Override
            public ToolDefinition getToolDefinition() {
                return ToolDefinition.builder().name(name).description("Tells the weather.")
                        .inputSchema("{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}").build();
            }

            @Override
            public String call(String arguments) {
                return "sunny";
            }
        };
    }

    /** A model that calls tools until they answered; then it says their answer, or that as JSON. */
    private ApplicationContextRunner withTools() throws IOException {
        Path model = ToyLanguageModel.write(directory.resolve("caller"), """
                {# <tool_call> </think> #}
                {%- for message in messages %}{{ message['content'] + ' ' }}{% endfor %}
                {%- if tools and messages[-1]['role'] != 'tool' %}{{ tools[0]['function']['name'] }}
                {%- else %}{{ '<assistant>' }}{% endif %}""", List.of(
                List.of("json", "{\"weather\":", " \"sunny\"}"),
                List.of("weather", "<think>hm</think>", " I see.", " <tool_call>{\"name\": \"weather\", \"arguments\":"
                        + " {\"city\": \"Oslo\"}}</tool_call>"),
                List.of("forecast", "<tool_call>\n{\"name\": \"forecast\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>"),
                List.of("<assistant>", "<think>so</think>", "It", " is", " sunny")));
        return application.withPropertyValues("spring.ai.model.embedding=none", "spring.ai.fovea.chat.model=" + model);
    }

    @Test
    void shouldCallToolsAndGoOnWithTheirAnswers() throws IOException {
        withTools().run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            ToolCallingChatOptions options = ToolCallingChatOptions.builder().toolCallbacks(WEATHER).build();
            ChatResponse answer = model.call(new Prompt("What ?", options));
            assertThat(answer.getResult().getMetadata().getFinishReason()).isEqualTo("tool_calls");
            assertThat(answer.getResult().getMetadata().<String>get("thinking")).isEqualTo("hm");
            AssistantMessage message = answer.getResult().getOutput();
            assertThat(message.getText()).isEqualTo("I see.");
            assertThat(message.getToolCalls()).containsExactly(new AssistantMessage.ToolCall("call00001", "function", "weather",
                    "{\"city\":\"Oslo\"}"));
            List<ChatResponse> pieces = model.stream(new Prompt("What ?", options)).collectList().block();
            assertThat(pieces).extracting(piece -> piece.getResult().getMetadata().<String>get("thinking"))
                    .containsExactly("hm", null, null);
            assertThat(pieces).extracting(piece -> piece.getResult().getOutput().getText()).containsExactly("", "I see.", "");
            assertThat(pieces.getLast().getResult().getOutput().getToolCalls()).isEqualTo(message.getToolCalls());
            assertThat(pieces.getLast().getResult().getOutput().getMetadata()).containsEntry("thinking", "hm");

            List<Message> told = List.of(new UserMessage("What ?"), message, ToolResponseMessage.builder().responses(List.of(
                    new ToolResponseMessage.ToolResponse("call00001", "weather", "sunny"))).build());
            ChatResponse last = model.call(new Prompt(told, options));
            assertThat(last.getResult().getOutput().getText()).isEqualTo("It is sunny");
            assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo("stop");
            FoveaChatOptions both = FoveaChatOptions.builder().toolCallbacks(tool("forecast")).outputSchema(SCHEMA).build();
            assertThat(model.call(new Prompt("What ?", both)).getResult().getOutput().getToolCalls()).extracting(
                    AssistantMessage.ToolCall::arguments).containsExactly("{\"city\":\"Rome\"}");
            ChatResponse formed = model.call(new Prompt(told, both));
            assertThat(formed.getResult().getOutput().getText()).isEqualTo("{\"weather\": \"sunny\"}");
            assertThat(formed.getMetadata().getUsage().getCompletionTokens()).isEqualTo(3); // with its end
        });
    }

    /** With the client's builder as the starter brings it. */
    @Test
    void shouldLetAChatClientCallTools() throws IOException {
        var starter = AutoConfigurations.of(ToolCallingAutoConfiguration.class, ChatClientAutoConfiguration.class);
        withTools().withConfiguration(starter).run(context -> {
            ChatClient client = context.getBean(ChatClient.Builder.class).build();
            assertThat(client.prompt("What ?").tools(WEATHER).call().content()).isEqualTo("It is sunny");
            assertThat(String.join("", client.prompt("What ?").tools(WEATHER).stream().content().collectList().block()))
                    .endsWith("It is sunny");
        });
    }

    @Test
    void shouldTellThoughtsApart() throws IOException {
        withTools().run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            ChatResponse answer = model.call(new Prompt("What ?"));
            assertThat(answer.getResult().getOutput().getText()).isEqualTo("It is sunny");
            assertThat(answer.getResult().getMetadata().<String>get("thinking")).isEqualTo("so");
            List<ChatResponse> pieces = model.stream(new Prompt("What ?")).collectList().block();
            assertThat(pieces.stream().map(piece -> piece.getResult().getMetadata().<String>get("thinking")).filter(Objects::nonNull))
                    .containsExactly("so");
            assertThat(pieces.stream().map(piece -> piece.getResult().getOutput().getText()).collect(Collectors.joining()))
                    .isEqualTo("It is sunny");
        });
    }

    private static final String SCHEMA = "{\"type\": \"object\", \"properties\": {\"weather\": {\"enum\": [\"sunny\", \"rainy\"]}},"
            + " \"required\": [\"weather\"]}";

    @Test
    void shouldAnswerByASchema() throws IOException {
        withTools().run(context -> {
            ChatModel model = context.getBean(ChatModel.class);
            var options = StructuredOutputChatOptions.builder().outputSchema(SCHEMA).build();
            assertThat(model.call(new Prompt("What ?", options)).getResult().getOutput().getText())
                    .isEqualTo("{\"weather\": \"sunny\"}");
            StringBuilder text = new StringBuilder();
            model.stream(new Prompt("What ?", options)).toStream().forEach(piece -> text.append(piece.getResult().getOutput().getText()));
            assertThat(text.toString()).isEqualTo("{\"weather\": \"sunny\"}");
            assertThatThrownBy(() -> model.call(new Prompt("What ?", FoveaChatOptions.builder().outputSchema("{\"not\": {}}").build())))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not");
        });
    }

    @Test
    void shouldMakeWhatIsAskedForAlone() {
        application.withPropertyValues("spring.ai.model.embedding=openai", "spring.ai.model.chat=openai").run(context ->
                assertThat(context).doesNotHaveBean(EmbeddingModel.class).doesNotHaveBean(ChatModel.class)
                        .doesNotHaveBean(TextEncoder.class));
        new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(FoveaChatAutoConfiguration.class))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(FoveaChatModel.class));
        application.withPropertyValues("spring.ai.fovea.embedding.model=no-such-model").run(context -> assertThat(context)
                .getFailure().rootCause().hasMessageContaining("'no-such-model'"));
        application.withPropertyValues("spring.ai.fovea.embedding.weights=q17").run(context -> assertThat(context)
                .getFailure().rootCause().hasMessageContaining("q17"));
    }

    @Test
    void shouldCloseItsModelsWithTheApplication() {
        AtomicReference<TextEncoder> encoder = new AtomicReference<>();
        AtomicReference<TextGenerator> generator = new AtomicReference<>();
        application.run(context -> {
            encoder.set(context.getBean(TextEncoder.class));
            generator.set(context.getBean(TextGenerator.class));
        });
        assertThatThrownBy(() -> encoder.get().encode("a")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> generator.get().generate(new int[] {1}, SamplingOptions.greedy()))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldDescribeEachProperty() throws IOException {
        try (InputStream in = FoveaChatProperties.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            String metadata = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (var properties : List.of(FoveaEmbeddingProperties.class, FoveaChatProperties.class)) {
                String prefix = properties == FoveaChatProperties.class ? "spring.ai.fovea.chat." : "spring.ai.fovea.embedding.";
                for (var component : properties.getRecordComponents()) {
                    String name = component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
                    assertThat(metadata).containsPattern("\"name\": \"" + prefix + name
                            + "\",\\s*\"type\": \"[\\w.<>]+\",\\s*\"description\": \"\\w");
                }
            }
        }
    }
}
