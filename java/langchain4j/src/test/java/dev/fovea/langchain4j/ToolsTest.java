package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Calls of tools, thoughts and forms, beside what the framework's suites ask for. */
class ToolsTest {
    private static final ToolSpecification ADD = ToolSpecification.builder().name("add").description("Adds.")
            .parameters(JsonObjectSchema.builder().addIntegerProperty("a").addProperty("b", JsonArraySchema.builder()
                    .items(new JsonNumberSchema()).build()).required("a").build()).build();
    private static final ToolSpecification WEATHER = ToolSpecification.builder().name("getWeather")
            .parameters(JsonObjectSchema.builder().addStringProperty("city").build()).build();

    private final FoveaChatModel model = FoveaChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME)
            .returnThinking(true).build();

    private static ChatRequest ask(ChatRequestParameters parameters) {
        return ChatRequest.builder().messages(UserMessage.from("w")).parameters(parameters).build();
    }

    private static ChatRequestParameters tools(ToolSpecification... tools) {
        return ChatRequestParameters.builder().toolSpecifications(tools).build();
    }

    private static ChatRequestParameters thinking() {
        return FoveaChatRequestParameters.builder().templateVariables(Map.of("enable_thinking", true)).build();
    }

    private static List<String> told(ChatRequest request) throws Exception {
        return told(request, true);
    }

    /** What a handler is told, in its order. */
    private static List<String> told(ChatRequest request, boolean returnThinking) throws Exception {
        List<String> told = new ArrayList<>();
        var complete = new CompletableFuture<ChatResponse>();
        FoveaStreamingChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME).returnThinking(returnThinking).build()
                .chat(request, new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String text) {
                        told.add(text);
                    }

                    @Override
                    public void onPartialThinking(PartialThinking thought) {
                        told.add("thinks " + thought.text());
                    }

                    @Override
                    public void onCompleteToolCall(CompleteToolCall call) {
                        told.add(call.index() + " " + call.toolExecutionRequest().name());
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        complete.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        complete.completeExceptionally(error);
                    }
                });
        told.add(complete.get(10, TimeUnit.SECONDS).finishReason().name());
        return told;
    }

    @Test
    void shouldDescribeToolsAsSchemas() {
        assertEquals(Map.of("type", "function", "function", Map.of("name", "add", "description", "Adds.", "parameters",
                Map.of("type", "object", "properties", Map.of("a", Map.of("type", "integer"), "b",
                        Map.of("type", "array", "items", Map.of("type", "number"))), "required", List.of("a")))), Messages.tool(ADD, false));
    }

    @Test
    void shouldSayWhatComesBesideACall() throws Exception {
        ChatResponse answer = model.chat(ask(tools(ADD)));
        assertEquals("I see:", answer.aiMessage().text());
        ToolExecutionRequest call = answer.aiMessage().toolExecutionRequests().getFirst();
        assertEquals("{\"a\":2,\"b\":[1.5]}", call.arguments());
        assertEquals(FinishReason.TOOL_EXECUTION, answer.finishReason());
        assertEquals(List.of("I", " see:", "0 add", "TOOL_EXECUTION"), told(ask(tools(ADD))));
    }

    /** What this model would write has not the city that the schema wants. */
    @Test
    void shouldKeepCallsToSchemasWhereToolsAreStrict() {
        var oslo = ToolSpecification.builder().name("getWeather").parameters(JsonObjectSchema.builder()
                .addEnumProperty("city", List.of("Oslo")).required("city").build()).build();
        assertEquals("{\"city\":\"Munich\"}", model.chat(ask(tools(oslo))).aiMessage().toolExecutionRequests().getFirst().arguments());
        var strict = FoveaChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME).strictTools(true).build();
        assertFalse(strict.chat(ask(tools(oslo))).aiMessage().hasToolExecutionRequests());
        assertEquals("{\"city\":\"Munich\"}", strict.chat(ask(tools(WEATHER))).aiMessage().toolExecutionRequests().getFirst().arguments());
    }

    @Test
    void shouldCallNoToolThatMayNotBeCalled() {
        var none = ChatRequestParameters.builder().toolSpecifications(ADD).toolChoice(ToolChoice.NONE).build();
        assertTrue(model.chat(ask(none)).aiMessage().text().startsWith("Hello World"));
    }

    @Test
    void shouldTellThoughtsApart() throws Exception {
        AiMessage answer = model.chat(ask(thinking())).aiMessage();
        assertEquals("hm well", answer.thinking());
        assertEquals("Gladly", answer.text());
        assertEquals(List.of("thinks hm", "thinks  well", "Gladly", "STOP"), told(ask(thinking())));
        var cut = thinking().overrideWith(ChatRequestParameters.builder().maxOutputTokens(3).build());
        assertEquals("hm", model.chat(ask(cut)).aiMessage().thinking());
        assertEquals(List.of("thinks hm", "LENGTH"), told(ask(cut)));
        assertNull(model.chat(ask(ChatRequestParameters.builder().build())).aiMessage().thinking());
    }

    @Test
    void shouldLeaveThoughtsOutUnlessTheyAreAskedFor() throws Exception {
        var silent = FoveaChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME).build();
        assertEquals(AiMessage.from("Gladly"), silent.chat(ask(thinking())).aiMessage());
        assertEquals(List.of("Gladly", "STOP"), told(ask(thinking()), false));
    }

    @Test
    void shouldWriteAnAnswerOnceWhereThereAreToolsAndAForm() {
        ChatResponse answer = model.chat(ChatRequest.builder().messages(UserMessage.from("w"), AiMessage.from(List.of(
                        ToolExecutionRequest.builder().id("call00001").name("getWeather").arguments("").build())),
                ToolExecutionResultMessage.from("call00001", "getWeather", "w")).parameters(ChatRequestParameters.builder()
                .toolSpecifications(WEATHER).responseFormat(ResponseFormat.JSON).build()).build());
        assertEquals("{\"city\": \"Berlin\"}", answer.aiMessage().text());
        assertEquals(2, answer.tokenUsage().outputTokenCount()); // with its end
    }

    @Test
    void shouldNameWhatIsNotSupported() {
        var both = ChatRequestParameters.builder().toolSpecifications(WEATHER).toolChoice(ToolChoice.REQUIRED)
                .responseFormat(ResponseFormat.JSON).build();
        assertEquals("not supported: ToolChoice.REQUIRED with the JSON response format",
                assertThrows(UnsupportedFeatureException.class, () -> model.chat(ask(both))).getMessage());
        var nothing = ChatRequestParameters.builder().toolChoice(ToolChoice.REQUIRED).build();
        assertThrows(IllegalArgumentException.class, () -> model.chat(ask(nothing)));
        var broken = ChatRequest.builder().messages(UserMessage.from("w"), AiMessage.from(List.of(ToolExecutionRequest.builder()
                .id("1").name("add").arguments("[2").build()))).build();
        assertEquals("expected an object in JSON as arguments of the tool add, got [2",
                assertThrows(IllegalArgumentException.class, () -> model.chat(broken)).getMessage());
    }
}
