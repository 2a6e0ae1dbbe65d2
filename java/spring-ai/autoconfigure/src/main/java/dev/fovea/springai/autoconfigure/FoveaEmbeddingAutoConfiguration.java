package dev.fovea.springai.autoconfigure;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.springai.FoveaEmbeddingModel;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** An encoder and the embedding model on it, unless the application has its own or {@code spring.ai.model.embedding} is another. */
@AutoConfiguration
@ConditionalOnClass({FoveaEmbeddingModel.class, TextEncoder.class})
@ConditionalOnProperty(name = "spring.ai.model.embedding", havingValue = "fovea", matchIfMissing = true)
@EnableConfigurationProperties(FoveaEmbeddingProperties.class)
public class FoveaEmbeddingAutoConfiguration {
    /** The encoder, which is closed with the application. */
    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    TextEncoder foveaTextEncoder(FoveaEmbeddingProperties properties) throws IOException {
        EngineOptions engine = EngineOptions.defaults().withThreads(properties.threads());
        if (properties.backend() != null) {
            engine = engine.withBackend(properties.backend());
        }
        return TextEncoder.load(properties.model(), EncoderOptions.defaults().withEngineOptions(engine)
                .withWeights(properties.weights()).withLengthPolicy(properties.lengthPolicy())
                .withDimensions(properties.dimensions()));
    }

    /** The embedding model. */
    @Bean
    @ConditionalOnMissingBean
    FoveaEmbeddingModel foveaEmbeddingModel(TextEncoder encoder, FoveaEmbeddingProperties properties,
            ObjectProvider<ObservationRegistry> observations, ObjectProvider<EmbeddingModelObservationConvention> convention) {
        var model = new FoveaEmbeddingModel(encoder, properties.queryPrompt(), properties.documentPrompt(),
                observations.getIfUnique(() -> ObservationRegistry.NOOP));
        convention.ifAvailable(model::setObservationConvention);
        return model;
    }
}
