package dev.fovea.server.routing;

import dev.fovea.model.QueueListener;
import dev.fovea.server.http.HttpFront;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/**
 * What {@code /metrics} shows: the names of Text Embeddings Inference, with its units, seconds and tokens; of each model where
 * that makes a difference.
 */
public final class ServerMetrics {
    private static final double[] SECONDS = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
    private static final double[] TOKENS = {8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
    private static final double[] TEXTS = {1, 2, 4, 8, 16, 32, 64, 128};
    private static final double NANOS = 1e9;

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /** The registry, for meters of the application's own. */
    public PrometheusMeterRegistry registry() {
        return registry;
    }

    private DistributionSummary summary(String name, String help, double[] buckets, String... tags) {
        return DistributionSummary.builder(name).description(help).serviceLevelObjectives(buckets).tags(tags).register(registry);
    }

    private Counter counter(String name, String help, String... tags) {
        return Counter.builder(name).description(help).tags(tags).register(registry);
    }

    /** A request has been answered. */
    void answered(String route, int status, long nanos) {
        counter("te_request_count", "Requests", "method", route).increment();
        if (status < 400) {
            counter("te_request_success", "Requests that were answered", "method", route).increment();
            summary("te_request_duration", "Seconds from the arrival of a request to its answer", SECONDS, "method", route)
                    .record(nanos / NANOS);
        } else {
            counter("te_request_failure", "Requests that were not answered", "method", route, "err",
                    Integer.toString(status)).increment();
        }
    }

    /** A request was given up by its client. */
    void gone(String route) {
        counter("te_request_count", "Requests", "method", route).increment();
        counter("te_request_failure", "Requests that were not answered", "method", route, "err", "gone").increment();
    }

    /** Texts have been tokenized. */
    public void read(String model, int[] tokens, long nanos) {
        DistributionSummary lengths = summary("te_request_input_length", "Tokens of a text", TOKENS, "model", model);
        for (int count : tokens) {
            lengths.record(count);
        }
        summary("te_request_tokenization_duration", "Seconds that tokenizing took", SECONDS, "model", model)
                .record(nanos / NANOS);
    }

    /** An answer of a language model has been written. */
    public void wrote(String model, int promptTokens, int tokens, long nanos) {
        counter("fovea_prompt_tokens", "Tokens of prompts", "model", model).increment(promptTokens);
        counter("fovea_generated_tokens", "Tokens that were written", "model", model).increment(tokens);
        summary("te_request_inference_duration", "Seconds that a model ran", SECONDS, "model", model).record(nanos / NANOS);
    }

    /** What hears of a model's queue. */
    public QueueListener listener(String model) {
        DistributionSummary waits = summary("te_request_queue_duration", "Seconds that a text waited", SECONDS, "model", model);
        DistributionSummary runs = summary("te_request_inference_duration", "Seconds that a model ran", SECONDS, "model", model);
        DistributionSummary sizes = summary("te_batch_next_size", "Texts of a batch", TEXTS, "model", model);
        DistributionSummary tokens = summary("te_batch_next_tokens", "Tokens of a batch", TOKENS, "model", model);
        return batch -> {
            for (long nanos : batch.waitNanos()) {
                waits.record(nanos / NANOS);
            }
            runs.record(batch.runNanos() / NANOS);
            sizes.record(batch.inputs());
            tokens.record(batch.tokens());
        };
    }

    /** Shows what there is now. */
    public void watch(ModelSet models, HttpFront front) {
        Gauge.builder("fovea_connections", front, HttpFront::connections).description("Open connections").register(registry);
        Gauge.builder("fovea_requests", front, HttpFront::handling).description("Requests in progress").register(registry);
        for (ServedModel model : models.all()) {
            Gauge.builder("te_queue_size", model, ServerMetrics::waiting).description("Texts that wait")
                    .tag("model", model.name()).register(registry);
        }
    }

    private static double waiting(ServedModel model) {
        return switch (model) {
            case ServedModel.Embedder embedder -> embedder.queue().waitingInputs();
            case ServedModel.Ranker ranker -> ranker.queue().waitingInputs();
            case ServedModel.Classifier classifier -> classifier.queue().waitingInputs();
            case ServedModel.Terms terms -> terms.queue().waitingInputs();
            case ServedModel.Writer writer -> writer.generator().waiting();
        };
    }

    /** In the format of Prometheus. */
    public String scrape() {
        return registry.scrape();
    }
}
