package dev.fovea.model;

import dev.fovea.Engine;
import java.util.List;

/**
 * Runs texts that are tokens already through a model with a head. Safe to share between threads.
 *
 * @param reader makes the result of an input
 */
record HeadBatches<R>(HeadModel model, HeadModel.ResultReader<R> reader) implements BatchModel<R> {
    @Override
    public String name() {
        return model.name();
    }

    @Override
    public Engine engine() {
        return model.engine();
    }

    @Override
    public List<R> run(List<? extends EncoderInput<R>> inputs) {
        return model.run(inputs.stream().map(input -> ((HeadInput<R>) input).content()).toList(), reader);
    }
}
