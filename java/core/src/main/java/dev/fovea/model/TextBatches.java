package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.model.sentence.Piece;
import java.util.ArrayList;
import java.util.List;

/** Runs texts that are tokens already through an encoder. Safe to share between threads. */
final class TextBatches implements BatchModel<TextEmbedding> {
    private final EncoderModel model;
    private final SessionPool<EncoderSession> sessions;

    TextBatches(EncoderModel model, SessionPool<EncoderSession> sessions) {
        this.model = model;
        this.sessions = sessions;
    }

    @Override
    public String name() {
        return model.name();
    }

    @Override
    public Engine engine() {
        return model.engine();
    }

    @Override
    public List<TextEmbedding> run(List<? extends EncoderInput<TextEmbedding>> inputs) {
        List<TextEmbedding> results = new ArrayList<>(inputs.size());
        model.owner().enter();
        try {
            sessions.run(session -> {
                TextBatch batch = new TextBatch(model, results);
                for (EncoderInput<TextEmbedding> input : inputs) {
                    TextInput text = (TextInput) input;
                    for (Piece piece : text.pieces()) {
                        batch.add(piece, "the text", text.text(), session);
                    }
                }
                batch.finish(session);
            });
        } finally {
            model.owner().exit();
        }
        return results;
    }
}
