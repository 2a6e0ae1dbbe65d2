package dev.fovea.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A text that goes on: what was read and written stands before what comes next, and is not read again while it is in memory.
 * It can be saved with its keys and values, so that another process need not read it either.
 *
 * <pre>{@code
 * var session = model.newSession();
 * session.append(longDocument);
 * session.generate("\nIn one sentence:", options, listener);
 * session.save(Path.of("document.kv"));            // later: model.restore(Path.of("document.kv"))
 * }</pre>
 *
 * <p>A session itself holds tokens alone. Keys and values are the model's, in memory that all answers share ({@link
 * GeneratorOptions#cacheTokens()}); where they had to go, they are computed again. So there is nothing to close. Serves one
 * thread at a time. The last token of an answer that fills the context is one more than the context has room for; such a
 * session can be saved and {@linkplain #truncate cut}, but not continued.
 */
public final class GeneratorSession {
    private final TextGenerator model;
    private final AtomicBoolean busy = new AtomicBoolean();
    private int[] tokens;

    GeneratorSession(TextGenerator model, int[] tokens) {
        this.model = model;
        this.tokens = tokens;
    }

    /** All tokens so far, read and written. */
    public int[] tokens() {
        return exclusively(() -> tokens.clone());
    }

    /**
     * Goes on with a text, which is read now or when an answer needs it.
     *
     * @throws IllegalArgumentException if there would be more tokens than the context
     * @throws IllegalStateException if the model is closed, or another thread uses the session
     * @throws UnsupportedOperationException if the model has no tokenizer that is read
     */
    public void append(String text) {
        Objects.requireNonNull(text, "text");
        exclusively(() -> tokens = with(text));
    }

    /** Goes on with token ids, as they are; see {@link #append(String)}. */
    public void append(int[] ids) {
        exclusively(() -> tokens = with(ids));
    }

    /**
     * Goes on with a text, and with the model's answer; see {@link TextGenerator#generate(String, SamplingOptions,
     * TextListener)}. If that fails, the session is as it was.
     *
     * @throws IllegalStateException if the model is closed, or another thread uses the session
     */
    public GeneratedText generate(String text, SamplingOptions options, TextListener listener) {
        Objects.requireNonNull(text, "text");
        return exclusively(() -> answer(with(text), options, RequestOptions.defaults(), listener));
    }

    /** Goes on with token ids, as they are, and with the model's answer. */
    public GeneratedText generate(int[] ids, SamplingOptions options, RequestOptions request, TextListener listener) {
        return exclusively(() -> answer(with(ids), options, request, listener));
    }

    private GeneratedText answer(int[] prompt, SamplingOptions options, RequestOptions request, TextListener listener) {
        GeneratedText answer = model.generate(prompt, options, request, listener);
        tokens = concat(prompt, answer.tokens());
        return answer;
    }

    /**
     * Forgets the tokens from {@code count} on.
     *
     * @throws IllegalArgumentException if there are fewer
     * @throws IllegalStateException if another thread uses the session
     */
    public void truncate(int count) {
        exclusively(() -> {
            if (count < 0 || count > tokens.length) {
                throw new IllegalArgumentException("expected 0 to " + tokens.length + " tokens, which the session has, got "
                        + count);
            }
            tokens = Arrays.copyOf(tokens, count);
            return null;
        });
    }

    /**
     * Writes its tokens, keys and values to a file, for {@link TextGenerator#restore}. What is not in memory is computed
     * before. A file of that name is replaced when all is written.
     *
     * @throws IOException if it cannot be written
     * @throws IllegalStateException if the model is closed, another thread uses the session, or it has no tokens
     */
    public void save(Path file) throws IOException {
        enter();
        try {
            model.save(tokens, file);
        } finally {
            busy.set(false);
        }
    }

    private int[] with(String text) {
        return with(model.encode(text, tokens.length == 0));
    }

    private int[] with(int[] ids) {
        int[] all = concat(tokens, ids);
        if (all.length > 0) {
            model.requirePrompt(all);
        }
        return all;
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private interface Action<R> {
        R run();
    }

    private <R> R exclusively(Action<R> action) {
        enter();
        try {
            return action.run();
        } finally {
            busy.set(false);
        }
    }

    private void enter() {
        if (!busy.compareAndSet(false, true)) {
            throw new IllegalStateException("the session is in use by another thread");
        }
    }
}
