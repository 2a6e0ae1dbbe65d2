package dev.fovea.model;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.model.sentence.Piece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/**
 * A long list of texts on all threads of an engine at once, each with texts and batches of its own: none waits for the
 * slowest of them after every op, and all read texts. Used once.
 */
final class SpreadTexts {
    /** About as many tokens as a batch has here. */
    private static final int BATCH_CHARS = 1024;
    private static final int BATCH_TOKENS = 256;
    /** With fewer, the threads that are done first wait for too long. */
    private static final int BATCHES_OF_A_THREAD = 4;

    private final EncoderModel model;
    private final SessionPool<EncoderSession> sessions;
    private final String[] texts;
    private final BiFunction<String, String, List<Piece>> cut;
    private final TextEmbedding[] results;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong tokens = new AtomicLong();
    private volatile Throwable failure;

    /**
     * The work on some texts.
     *
     * @param cut makes pieces of a text and what an error calls it
     */
    SpreadTexts(EncoderModel model, SessionPool<EncoderSession> sessions, List<String> texts,
            BiFunction<String, String, List<Piece>> cut) {
        this.model = model;
        this.sessions = sessions;
        this.texts = texts.toArray(String[]::new);
        this.cut = cut;
        this.results = new TextEmbedding[this.texts.length];
    }

    /** Whether there are enough texts for all threads. */
    static boolean pays(Engine engine, List<String> texts) {
        if (engine.backend() != Backend.NATIVE || engine.threads() == 1) {
            return false;
        }
        long left = (long) BATCHES_OF_A_THREAD * BATCH_CHARS * engine.threads();
        for (String text : texts) {
            left -= text == null ? 0 : Math.min(text.length(), BATCH_CHARS);
            if (left <= 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Encodes them on this thread, which has a session, and on others. Returns when all have ended.
     *
     * @return the number of tokens
     */
    long encode(EncoderSession session, List<TextEmbedding> to) {
        List<Thread> others = new ArrayList<>();
        try {
            for (int i = 1; i < model.engine().threads(); i++) {
                others.add(Thread.ofPlatform().daemon().name("fovea-texts-" + i).start(this::work));
            }
        } catch (OutOfMemoryError e) {
            // The system refuses a thread: those that are there do it.
        }
        try {
            work(session);
        } catch (Error e) {
            failure = e;
        }
        others.forEach(SpreadTexts::join);
        switch (failure) {
            case null -> to.addAll(Arrays.asList(results));
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
        return tokens.get();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work() {
        try {
            sessions.run(this::work);
        } catch (Throwable e) {
            failure = e;
        }
    }

    /** Errors go on, for whoever has the session to know. */
    private void work(EncoderSession session) {
        List<Integer> taken = new ArrayList<>();
        List<TextEmbedding> done = new ArrayList<>();
        var batch = new TextBatch(model, done, BATCH_TOKENS);
        try {
            for (int i = next.getAndIncrement(); i < texts.length && failure == null; i = next.getAndIncrement()) {
                taken.add(i);
                String label = "texts[" + i + "]";
                for (Piece piece : cut.apply(Objects.requireNonNull(texts[i], label), label)) {
                    batch.add(piece, label, texts[i], session);
                }
            }
            batch.finish(session);
        } catch (RuntimeException e) {
            failure = e;
        }
        for (int k = 0; k < done.size(); k++) {
            results[taken.get(k)] = done.get(k);
        }
        tokens.addAndGet(batch.encodedTokens());
    }
}
