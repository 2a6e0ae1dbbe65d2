package dev.fovea.model;

import dev.fovea.text.ModelInput;

/**
 * A text or a pair for a model with a head.
 *
 * @param <R> what it makes of it
 */
final class HeadInput<R> extends EncoderInput<R> {
    private final ModelInput content;

    HeadInput(BatchModel<R> model, ModelInput content) {
        super(model, content.ids().length, content.truncated());
        this.content = content;
    }

    ModelInput content() {
        return content;
    }
}
