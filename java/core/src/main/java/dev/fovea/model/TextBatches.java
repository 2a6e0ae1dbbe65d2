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
        long arrival = WatchedCall.arrival(model.engine());
        model.owner().enter();
        try {
            sessions.run(session -> {
                WatchedCall call = session.call();
                call.beginEncoding(arrival);
                call.encoded(inputs.size(), run(inputs, session, new TextBatch(model, results)));
            });
        } finally {
            model.owner().exit();
        }
        return results;
    }

    /** Returns the number of tokens. */
    private static long run(List<? extends EncoderInput<TextEmbedding>> inputs, EncoderSession session, TextBatch batch) {
        try {
            for (EncoderInput<TextEmbedding> input : inputs) {
                TextInput text = (TextInput) input;
                for (Piece piece : text.pieces()) {
                    batch.add(piece, "the text", text.text(), session);
                }
            }
            batch.finish(session);
            return batch.encodedTokens();
        } catch (Throwable e) {
            session.call().encodingFailed(e);
            throw e;
        }
    }
}
