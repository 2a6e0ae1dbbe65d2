package dev.fovea.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Map;
import java.util.Objects;

/** The parameters of LangChain4j, and those that Fovea has besides. Immutable. */
public final class FoveaChatRequestParameters extends DefaultChatRequestParameters {
    private final Long seed;
    private final Double minP;
    private final Double repetitionPenalty;
    private final Map<String, Object> templateVariables;

    private FoveaChatRequestParameters(Builder builder) {
        super(builder);
        this.seed = builder.seed;
        this.minP = builder.minP;
        this.repetitionPenalty = builder.repetitionPenalty;
        this.templateVariables = builder.templateVariables;
    }

    /** What random numbers begin with: the same seed gives the same answer. Null for another one each time. */
    public Long seed() {
        return seed;
    }

    /** See {@link dev.fovea.model.SamplingOptions#minP}; may be null. */
    public Double minP() {
        return minP;
    }

    /** See {@link dev.fovea.model.SamplingOptions#repetitionPenalty}; may be null. */
    public Double repetitionPenalty() {
        return repetitionPenalty;
    }

    /** See {@link dev.fovea.model.Chat#variables}, such as {@code enable_thinking}; may be null. */
    public Map<String, Object> templateVariables() {
        return templateVariables;
    }

    @Override
    public FoveaChatRequestParameters overrideWith(ChatRequestParameters that) {
        return builder().overrideWith(this).overrideWith(that).build();
    }

    @Override
    public FoveaChatRequestParameters defaultedBy(ChatRequestParameters that) {
        return builder().overrideWith(that).overrideWith(this).build();
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && other instanceof FoveaChatRequestParameters that && Objects.equals(seed, that.seed)
                && Objects.equals(minP, that.minP) && Objects.equals(repetitionPenalty, that.repetitionPenalty)
                && Objects.equals(templateVariables, that.templateVariables);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), seed, minP, repetitionPenalty, templateVariables);
    }

    @Override
    public String toString() {
        return super.toString() + " with seed=" + seed + ", minP=" + minP + ", repetitionPenalty=" + repetitionPenalty
                + ", templateVariables=" + templateVariables;
    }

    /** A builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder; what is not given is the model's default. */
    public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
        private Long seed;
        private Double minP;
        private Double repetitionPenalty;
        private Map<String, Object> templateVariables;

        private Builder() {}

        /** See {@link FoveaChatRequestParameters#seed}. */
        public Builder seed(Long seed) {
            this.seed = seed;
            return this;
        }

        /** See {@link FoveaChatRequestParameters#minP}. */
        public Builder minP(Double minP) {
            this.minP = minP;
            return this;
        }

        /** See {@link FoveaChatRequestParameters#repetitionPenalty}. */
        public Builder repetitionPenalty(Double repetitionPenalty) {
            this.repetitionPenalty = repetitionPenalty;
            return this;
        }

        /** See {@link FoveaChatRequestParameters#templateVariables}. */
        public Builder templateVariables(Map<String, Object> templateVariables) {
            this.templateVariables = templateVariables == null ? null : Map.copyOf(templateVariables);
            return this;
        }

        @Override
        public Builder overrideWith(ChatRequestParameters parameters) {
            super.overrideWith(parameters);
            if (parameters instanceof FoveaChatRequestParameters own) {
                seed = own.seed != null ? own.seed : seed;
                minP = own.minP != null ? own.minP : minP;
                repetitionPenalty = own.repetitionPenalty != null ? own.repetitionPenalty : repetitionPenalty;
                templateVariables = own.templateVariables != null ? own.templateVariables : templateVariables;
            }
            return this;
        }

        @Override
        public FoveaChatRequestParameters build() {
            return new FoveaChatRequestParameters(this);
        }
    }
}
