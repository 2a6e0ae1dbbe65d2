package dev.fovea.server.routing;

import dev.fovea.model.EncoderInput;
import dev.fovea.model.EncoderQueue;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.Queues;
import dev.fovea.server.models.TextRules;
import java.util.List;
import java.util.function.Supplier;

/** A route that gives texts to a model whose calls are gathered. */
public abstract class TextRoute implements Route {
    /** What is served. */
    protected final ModelSet models;
    /** What texts may be. */
    protected final TextRules rules;
    private final ServerMetrics metrics;

    /** Serves models by these rules. */
    protected TextRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        this.models = models;
        this.rules = rules;
        this.metrics = metrics;
    }

    /**
     * What a model makes of each text of a request.
     *
     * @param read reads the texts, which is timed
     */
    protected final <R> List<R> run(Exchange exchange, String model, EncoderQueue<R> queue, Supplier<List<EncoderInput<R>>> read) {
        long start = System.nanoTime();
        List<EncoderInput<R>> inputs = read.get();
        metrics.read(model, inputs.stream().mapToInt(EncoderInput::tokens).toArray(), System.nanoTime() - start);
        return Queues.run(queue, inputs, exchange.cancellation());
    }
}
