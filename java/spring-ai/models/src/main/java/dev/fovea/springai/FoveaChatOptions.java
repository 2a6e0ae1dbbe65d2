package dev.fovea.springai;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;

/** The options of a chat: those of the framework, tools that the model may call, and a schema of its answer. Immutable. */
public final class FoveaChatOptions extends DefaultToolCallingChatOptions implements StructuredOutputChatOptions {
    private final String outputSchema;

    private FoveaChatOptions(List<ToolCallback> toolCallbacks, Map<String, Object> toolContext, String model,
            Double frequencyPenalty, Integer maxTokens, Double presencePenalty, List<String> stopSequences, Double temperature,
            Integer topK, Double topP, String outputSchema) {
        super(toolCallbacks, toolContext, model, frequencyPenalty, maxTokens, presencePenalty, stopSequences, temperature, topK,
                topP);
        this.outputSchema = outputSchema;
    }

    /** Options of which nothing is set. */
    public static Builder builder() {
        return new Builder();
    }

    /** The JSON schema by which answers are valid; null if they are free. */
    @Override
    public String getOutputSchema() {
        return outputSchema;
    }

    @Override
    public Builder mutate() {
        return builder().model(getModel()).frequencyPenalty(getFrequencyPenalty()).maxTokens(getMaxTokens())
                .presencePenalty(getPresencePenalty()).stopSequences(getStopSequences()).temperature(getTemperature())
                .topK(getTopK()).topP(getTopP()).toolCallbacks(getToolCallbacks()).toolContext(getToolContext())
                .outputSchema(outputSchema);
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && other instanceof FoveaChatOptions options
                && Objects.equals(outputSchema, options.outputSchema);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), outputSchema);
    }

    /** Makes options. */
    public static final class Builder extends DefaultToolCallingChatOptions.Builder<Builder>
            implements StructuredOutputChatOptions.Builder<Builder> {
        private String outputSchema;

        private Builder() {}

        @Override
        public Builder outputSchema(String outputSchema) {
            this.outputSchema = outputSchema;
            return this;
        }

        @Override
        public Builder clone() {
            return super.clone(); // with the schema, as any field
        }

        @Override
        public Builder combineWith(ChatOptions.Builder<?> other) {
            super.combineWith(other);
            ChatOptions options = other.build();
            if (options instanceof StructuredOutputChatOptions structured && structured.getOutputSchema() != null) {
                outputSchema = structured.getOutputSchema();
            }
            if (options instanceof ToolCallingChatOptions calling && calling.getToolCallbacks() != null
                    && !(other instanceof DefaultToolCallingChatOptions.Builder<?>)) {
                toolCallbacks(calling.getToolCallbacks());
            }
            return this;
        }

        @Override
        public FoveaChatOptions build() {
            return new FoveaChatOptions(toolCallbacks, toolContext, model, frequencyPenalty, maxTokens, presencePenalty,
                    stopSequences, temperature, topK, topP, outputSchema);
        }
    }
}
