package dev.fovea.model;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Session;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.generation.Sampler;
import dev.fovea.model.generation.Sampling;
import dev.fovea.model.generation.StopTexts;
import dev.fovea.model.grammar.Constraint;
import dev.fovea.text.TokenDecoder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One sequence at work: its keys and values, and what chooses its tokens. A prompt that begins as the last sequence did
 * reads only what is new. Serves one answer at a time.
 */
final class GeneratorSession implements AutoCloseable {
    /** Tokens of a prompt that are read at once. */
    static final int CHUNK = 256;

    private static final int FIRST_CHARS = 1 << 12;

    private final Session session;
    private final CacheSet cache;
    private final Sampler sampler;
    private final StopTexts stops = new StopTexts();
    /** The tokens that the cache holds. */
    private final int[] held;
    private int heldCount;
    private final StringBuilder piece = new StringBuilder(FIRST_CHARS);
    private final StringBuilder certain = new StringBuilder(FIRST_CHARS);
    private final StringBuilder text = new StringBuilder(FIRST_CHARS);

    /** Closes both. */
    GeneratorSession(Session session, CacheSet cache, Sampler sampler) {
        this.session = session;
        this.cache = cache;
        this.sampler = sampler;
        this.held = new int[cache.capacity()];
    }

    /**
     * What an answer needs beside its prompt.
     *
     * @param decoder null where tokens have no text
     * @param constraint null where the answer may look like anything
     */
    record Work(SamplingOptions options, Sampling sampling, TokenDecoder decoder, int vocabulary, int[] ends,
            Constraint constraint, TextListener listener) {
        boolean isEnd(int token) {
            for (int end : ends) {
                if (end == token) {
                    return !options.ignoresEnd();
                }
            }
            return false;
        }
    }

    /** Writes behind a prompt of at least one token that fits the context. */
    GeneratedText generate(int[] prompt, Work work) {
        boolean done = false;
        try {
            GeneratedText result = write(prompt, work);
            done = true;
            return result;
        } finally {
            if (!done) {
                heldCount = 0; // nobody knows what a failed run has left
            }
        }
    }

    private GeneratedText write(int[] prompt, Work work) {
        sampler.start(work.sampling());
        sampler.keepLikeliest(work.options().alternatives());
        stops.start(work.options().stops());
        text.setLength(0);
        read(prompt);
        int most = Math.min(work.options().maxTokens(), held.length - prompt.length + 1);
        var tokens = new int[most];
        List<List<Alternative>> alternatives = new ArrayList<>();
        var logProbabilities = new float[work.options().logProbabilities() ? most : 0];
        int written = 0;
        Finish finish = null;
        Constraint constraint = work.constraint();
        while (finish == null) {
            int token = sampler.next(session.output().segment(), constraint == null ? null : constraint.mask());
            if (logProbabilities.length > 0) {
                logProbabilities[written] = (float) sampler.logProbability();
            }
            tokens[written++] = token;
            if (work.options().alternatives() > 0) {
                alternatives.add(alternatives());
            }
            finish = work.isEnd(token) ? Finish.END : say(token, work);
            if (finish == null && constraint != null) {
                constraint.accept(token);
                finish = work.ends().length == 0 && constraint.isComplete() ? Finish.END : null;
            }
            if (finish == null && written == most) {
                finish = most < work.options().maxTokens() ? Finish.CONTEXT : Finish.LENGTH;
            }
            if (finish == null) {
                append(token);
            }
        }
        if (finish != Finish.STOP && finish != Finish.CANCELLED) {
            sayRest(work);
        }
        return new GeneratedText(text.toString(), Arrays.copyOf(tokens, written),
                Arrays.copyOf(logProbabilities, logProbabilities.length > 0 ? written : 0), prompt.length, finish, alternatives);
    }

    private List<Alternative> alternatives() {
        List<Alternative> alternatives = new ArrayList<>();
        for (int i = 0; i < sampler.likeliest().length; i++) {
            alternatives.add(new Alternative(sampler.likeliest()[i], sampler.likeliestLogProbabilities()[i]));
        }
        return alternatives;
    }

    /** Gives the listener the text of a token; what ends the answer, or null. */
    private Finish say(int token, Work work) {
        piece.setLength(0);
        certain.setLength(0);
        if (work.decoder() != null && token < work.vocabulary()) {
            work.decoder().add(token, piece);
        }
        boolean stopped = stops.add(piece, certain);
        text.append(certain);
        boolean goesOn = work.listener().next(certain, token);
        return stopped ? Finish.STOP : goesOn ? null : Finish.CANCELLED;
    }

    private void sayRest(Work work) {
        piece.setLength(0);
        certain.setLength(0);
        if (work.decoder() != null) {
            work.decoder().end(piece);
        }
        if (!stops.add(piece, certain)) {
            stops.end(certain);
        }
        if (!certain.isEmpty()) {
            text.append(certain);
            work.listener().next(certain, -1);
        }
    }

    private void read(int[] prompt) {
        int common = 0;
        while (common < Math.min(heldCount, prompt.length - 1) && held[common] == prompt[common]) {
            common++;
        }
        heldCount = common;
        cache.truncate(0, common);
        for (int token : prompt) {
            sampler.read(token);
        }
        int chunk = session.maxTokens();
        for (int start = common; start < prompt.length; start += chunk) {
            int count = Math.min(chunk, prompt.length - start);
            System.arraycopy(prompt, start, held, start, count);
            run(start, count);
        }
    }

    private void append(int token) {
        held[heldCount] = token;
        run(heldCount, 1);
    }

    private void run(int start, int count) {
        MemorySegment.copy(held, start, session.ids().segment(), ValueLayout.JAVA_INT, 0, count);
        MemorySegment offsets = session.offsets().segment();
        offsets.setAtIndex(ValueLayout.JAVA_INT, 0, 0);
        offsets.setAtIndex(ValueLayout.JAVA_INT, 1, count);
        session.run(1);
        heldCount = start + count;
    }

    @Override
    public void close() {
        session.close();
        cache.close();
    }
}
