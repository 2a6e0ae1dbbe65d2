package dev.fovea.springai.autoconfigure;

import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.springai.FoveaChatModel;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Path;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * A language model and the chat model on it, if {@code spring.ai.fovea.chat.model} says where it is, unless the application
 * has its own or {@code spring.ai.model.chat} is another.
 */
@AutoConfiguration
@ConditionalOnClass({FoveaChatModel.class, TextGenerator.class})
@ConditionalOnProperty(name = "spring.ai.model.chat", havingValue = "fovea", matchIfMissing = true)
@EnableConfigurationProperties(FoveaChatProperties.class)
public class FoveaChatAutoConfiguration {
    /** The language model, which is closed with the application. */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    @ConditionalOnProperty("spring.ai.fovea.chat.model")
    TextGenerator foveaTextGenerator(FoveaChatProperties properties) throws IOException {
        EngineOptions engine = EngineOptions.defaults().withThreads(properties.threads());
        if (properties.backend() != null) {
            engine = engine.withBackend(properties.backend());
        }
        GeneratorOptions options = GeneratorOptions.defaults().withEngineOptions(engine);
        if (properties.context() > 0) {
            options = options.withContext(properties.context());
        }
        return TextGenerator.load(Path.of(properties.model()),
                properties.weights() == null ? options : options.withWeights(properties.weights()));
    }

    /** The chat model. */
    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnProperty("spring.ai.fovea.chat.model")
    FoveaChatModel foveaChatModel(TextGenerator generator, FoveaChatProperties properties,
            ObjectProvider<ObservationRegistry> observations, ObjectProvider<ChatModelObservationConvention> convention) {
        ChatOptions options = ChatOptions.builder().maxTokens(properties.maxTokens()).temperature(properties.temperature())
                .topK(properties.topK()).topP(properties.topP()).presencePenalty(properties.presencePenalty())
                .frequencyPenalty(properties.frequencyPenalty()).stopSequences(properties.stopSequences()).build();
        String name = String.valueOf(Path.of(properties.model()).toAbsolutePath().normalize().getFileName());
        var model = new FoveaChatModel(generator, name, options, observations.getIfUnique(() -> ObservationRegistry.NOOP));
        convention.ifAvailable(model::setObservationConvention);
        return model;
    }
}
