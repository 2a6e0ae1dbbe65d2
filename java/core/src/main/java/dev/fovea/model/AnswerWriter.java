package dev.fovea.model;

import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.generation.Sampling;
import dev.fovea.model.generation.TokenRequest;
import dev.fovea.model.generation.TokenWriter;
import dev.fovea.model.grammar.Constraint;
import dev.fovea.model.grammar.Vocabulary;
import dev.fovea.text.Tokenizer;
import java.util.Map;

/** Writes answers behind prompts: what a model computes becomes text, and the listener of a call hears of it. */
final class AnswerWriter {
    /** Hears nothing. */
    static final TextListener SILENT = (_, _) -> true;

    private final String name;
    private final AnswerModel model;
    /** Null where there is none that is read. */
    private final Tokenizer tokenizer;
    private final int[] ends;
    /** Null where there is no tokenizer. */
    private final Vocabulary<OutputFormat> formats;
    private final SessionPool<AnswerText> texts = new SessionPool<>(this::newAnswerText, _ -> { });

    /** @param ends tokens that end texts */
    AnswerWriter(String name, AnswerModel model, Tokenizer tokenizer, int[] ends) {
        this.name = name;
        this.model = model;
        this.tokenizer = tokenizer;
        this.ends = ends;
        this.formats = tokenizer == null ? null : new Vocabulary<>(tokenizer, model.vocabulary(), ends);
    }

    /** That there is a prompt of the model's tokens, and room for it. */
    void requirePrompt(int[] ids) {
        if (ids.length < 1 || ids.length > model.context()) {
            throw new IllegalArgumentException("expected a prompt of 1 to " + model.context() + " tokens, the context of the model, got "
                    + ids.length);
        }
        for (int id : ids) {
            requireId("ids of a prompt", id);
        }
    }

    /** That what options say of tokens is said of the model's. */
    void requireIds(SamplingOptions options) {
        options.logitBias().keySet().forEach(id -> requireId("logit_bias", id));
    }

    private void requireId(String name, int id) {
        if (id < 0 || id >= model.vocabulary()) {
            throw new IllegalArgumentException(name + " must be below the vocabulary " + model.vocabulary()
                    + " and not negative, got " + id);
        }
    }

    /**
     * The answer behind a prompt that fits the model.
     *
     * @param arrival when the call came, for {@link WatchedCall}
     */
    GeneratedText write(int[] promptIds, SamplingOptions options, RequestOptions request, TextListener listener, long arrival) {
        int most = Math.min(options.maxTokens(), model.room(promptIds.length));
        var choice = new AnswerChoice(constraint(options, most), ends.length > 0, options.alternatives(), most);
        var tokens = new TokenRequest(promptIds, most, sampling(options), choice, options.ignoresEnd() ? new int[0] : ends,
                request.priority(), request.deadline());
        var work = new Work(tokens, choice, promptIds.length, options, listener);
        return texts.get(text -> watched(arrival, work, text));
    }

    /** Null where the answer may look like anything. */
    private Constraint constraint(SamplingOptions options, int most) {
        if (options.format() == null) {
            return null;
        }
        return formats.constraint(options.format(), options.format().compiled(), most);
    }

    private static Sampling sampling(SamplingOptions options) {
        return new Sampling(options.temperature(), options.topK(), options.topP(), options.minP(), options.typicalP(),
                options.repetitionPenalty(), options.presencePenalty(), options.frequencyPenalty(),
                options.logitBias().entrySet().stream().sorted(Map.Entry.comparingByKey())
                        .map(entry -> new Sampling.Bias(entry.getKey(), entry.getValue())).toArray(Sampling.Bias[]::new),
                options.seed(), options.logProbabilities());
    }

    /** An answer that is to be written. */
    private record Work(TokenRequest request, AnswerChoice choice, int promptTokens, SamplingOptions options,
            TextListener listener) {}

    private GeneratedText watched(long arrival, Work work, AnswerText text) {
        WatchedCall call = text.call();
        call.beginGenerating(arrival);
        GeneratedText result;
        try {
            result = model.write(writer -> write(writer, work, text));
        } catch (Throwable e) {
            call.generatingFailed(e);
            throw e;
        }
        TokenRequest request = work.request();
        call.generated(work.promptTokens(), request.kept(), result.tokens().length, request.begun(), request.first());
        return result;
    }

    private AnswerText newAnswerText() {
        return new AnswerText(new WatchedCall(model.engine(), name));
    }

    private GeneratedText write(TokenWriter writer, Work work, AnswerText text) {
        TokenRequest request = work.request();
        SamplingOptions options = work.options();
        text.start(tokenizer == null ? null : tokenizer.decoder(false),
                tokenizer == null ? 0 : tokenizer.vocabularySize(), options.stops(), work.listener());
        // Nothing to be said before the end.
        boolean unheard = work.listener() == SILENT;
        boolean quiet = unheard && options.stops().isEmpty();
        int heard = 0;
        Finish finish = null;
        writer.submit(request);
        try {
            while (finish == null) {
                int written = writer.await(request, quiet ? Integer.MAX_VALUE : heard);
                while (heard < written && finish == null) {
                    int token = request.token(heard++);
                    if (options.logProbabilities() && !unheard) {
                        work.listener().probability(request.logProbability(heard - 1), work.choice().likeliest(heard - 1));
                    }
                    finish = request.isEnd(token) ? Finish.END : text.say(token);
                }
                if (finish == null && request.hasEnded() && heard == request.written()) {
                    finish = AnswerText.finish(request, options);
                }
            }
        } finally {
            writer.leave(request);
        }
        if (finish != Finish.STOP && finish != Finish.CANCELLED) {
            text.sayRest();
        }
        return new GeneratedText(text.text(), request.answer(heard), request.logProbabilities(heard),
                work.promptTokens(), finish, work.choice().alternatives(heard));
    }
}
