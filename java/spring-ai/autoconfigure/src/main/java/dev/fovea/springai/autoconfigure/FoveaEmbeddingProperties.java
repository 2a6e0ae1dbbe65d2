package dev.fovea.springai.autoconfigure;

import dev.fovea.Backend;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.WeightType;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the embedding model.
 *
 * @param model a model's name, or a directory or GGUF file
 * @param threads threads that share one call; 0 for as many as the process may use
 * @param backend what computes; by default native where it works, else Java
 * @param weights what the weights are kept as
 * @param lengthPolicy what happens to texts of too many tokens
 * @param dimensions how many components of each vector are kept; 0 for all
 * @param queryPrompt what stands before queries: a name of the model's prompts, or a text; by default the model's own prompt
 * @param documentPrompt what stands before documents, likewise
 */
@ConfigurationProperties("spring.ai.fovea.embedding")
public record FoveaEmbeddingProperties(
        @DefaultValue("all-minilm-l6-v2") String model,
        @DefaultValue("0") int threads,
        Backend backend,
        @DefaultValue("f32") WeightType weights,
        @DefaultValue("truncate") LengthPolicy lengthPolicy,
        @DefaultValue("0") int dimensions,
        String queryPrompt,
        String documentPrompt) {}
