package dev.fovea.flink;

import dev.fovea.model.LengthPolicy;
import dev.fovea.model.WeightType;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.functions.AsyncPredictFunction;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.ml.AsyncPredictRuntimeProvider;
import org.apache.flink.table.ml.ModelProvider;
import org.apache.flink.table.ml.PredictRuntimeProvider;

/**
 * Flink's provider {@code fovea}: models that run inside its task managers, for {@code ML_PREDICT}. What a model does follows
 * from its schema: see {@link Task}.
 *
 * <pre>{@code
 * CREATE MODEL embedder INPUT (`text` STRING) OUTPUT (`vector` ARRAY<FLOAT>)
 *   WITH ('provider' = 'fovea', 'model' = 'all-minilm-l6-v2');
 * SELECT id, `vector` FROM ML_PREDICT(TABLE passages, MODEL embedder, DESCRIPTOR(`text`));
 * }</pre>
 *
 * <p>A task manager loads a model once for all tasks of a job, and closes it when the last of them ends. Rows that are under
 * way at the same time share ragged batches, and each gets the library's result, to the bit. A row with a null gets nulls.
 */
public final class FoveaModelProviderFactory implements ModelProviderFactory {
    static final ConfigOption<String> MODEL = ConfigOptions.key("model").stringType().noDefaultValue()
            .withDescription("a model's name, or the path of its directory or GGUF file on each task manager");
    static final ConfigOption<String> PROMPT = ConfigOptions.key("prompt").stringType().noDefaultValue()
            .withDescription("one of the model's prompts, or a text to put before each text");
    static final ConfigOption<Integer> DIMENSIONS = ConfigOptions.key("dimensions").intType().noDefaultValue()
            .withDescription("components of vectors, for models of the Matryoshka kind");
    static final ConfigOption<WeightType> WEIGHTS = ConfigOptions.key("weights").enumType(WeightType.class)
            .defaultValue(WeightType.F32).withDescription("how the weights of products are kept");
    static final ConfigOption<LengthPolicy> LENGTH_POLICY = ConfigOptions.key("length-policy").enumType(LengthPolicy.class)
            .defaultValue(LengthPolicy.TRUNCATE).withDescription("what becomes of texts that are too long");
    static final ConfigOption<Integer> THREADS = ConfigOptions.key("threads").intType().noDefaultValue()
            .withDescription("threads of a task manager that compute; by default as many as it has processors");

    /** Flink finds it by {@code META-INF/services}. */
    public FoveaModelProviderFactory() {}

    @Override
    public String factoryIdentifier() {
        return "fovea";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(MODEL);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return new LinkedHashSet<>(Set.of(PROMPT, DIMENSIONS, WEIGHTS, LENGTH_POLICY, THREADS));
    }

    /** @throws ValidationException if an option or the schema is not one that a model can have; the message names it */
    @Override
    public ModelProvider createModelProvider(Context context) {
        var helper = FactoryUtil.createModelProviderFactoryHelper(this, context);
        helper.validate();
        ResolvedCatalogModel model = context.getCatalogModel();
        return new Provider(settings(helper.getOptions(), Task.of(model)));
    }

    private static ModelSettings settings(ReadableConfig options, Task task) {
        int threads = options.getOptional(THREADS).orElse(0);
        if (threads < 0) {
            throw new ValidationException("expected 1 or more threads, got " + threads);
        }
        var settings = new ModelSettings(task, options.get(MODEL), options.getOptional(PROMPT).orElse(null),
                options.getOptional(DIMENSIONS).orElse(0), options.get(WEIGHTS), options.get(LENGTH_POLICY), threads);
        try {
            settings.options();
        } catch (IllegalArgumentException e) {
            throw new ValidationException(e.getMessage(), e);
        }
        return settings;
    }

    private record Provider(ModelSettings settings) implements PredictRuntimeProvider, AsyncPredictRuntimeProvider {
        @Override
        public PredictFunction createPredictFunction(Context context) {
            return new FoveaPredictFunction(settings);
        }

        @Override
        public AsyncPredictFunction createAsyncPredictFunction(Context context) {
            return new FoveaAsyncPredictFunction(settings);
        }

        @Override
        public ModelProvider copy() {
            return this;
        }
    }
}
