package dev.fovea.springai.autoconfigure;

import dev.fovea.Backend;
import dev.fovea.model.WeightType;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the chat model, which there is if the first is set.
 *
 * @param model the directory or GGUF file of a language model
 * @param threads threads that share one call; 0 for as many as the process may use
 * @param backend what computes; by default native where it works, else Java
 * @param weights what the weights are kept as; by default what the file has
 * @param context tokens of a prompt and its answer together; 0 for what the model was trained on, at most 4096
 * @param maxTokens tokens of an answer at most
 * @param temperature what logits are divided by; 0 takes the likeliest token
 * @param topK how many of the likeliest tokens are left; 0 for all
 * @param topP the likeliest tokens are left whose probabilities sum to this
 * @param presencePenalty what is subtracted from the logits of tokens of the answer
 * @param frequencyPenalty what is subtracted from them for each time that they are there
 * @param stopSequences texts that end the answer
 */
@ConfigurationProperties("spring.ai.fovea.chat")
public record FoveaChatProperties(
        String model,
        @DefaultValue("0") int threads,
        Backend backend,
        WeightType weights,
        @DefaultValue("0") int context,
        Integer maxTokens,
        Double temperature,
        Integer topK,
        Double topP,
        Double presencePenalty,
        Double frequencyPenalty,
        List<String> stopSequences) {}
