package dev.fovea.model;

import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.generation.Sampler;
import dev.fovea.model.generation.TokenChoice;
import dev.fovea.model.grammar.Constraint;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Chooses the tokens of an answer that has a form, or of which the likeliest tokens are told. For one answer. */
final class AnswerChoice implements TokenChoice {
    /** Null where the answer may look like anything. */
    private final Constraint constraint;
    private final boolean hasEnds;
    private final int count;
    /** Of each token, as many of the likeliest as the sampler keeps; written before the token is there. */
    private final int[] likeliest;
    private final float[] logProbabilities;
    private int kept;
    private int written;

    /**
     * Of one answer.
     *
     * @param constraint null for none
     * @param hasEnds whether a token ends texts; else an answer ends where its form leaves nothing more to say
     * @param count how many of the likeliest tokens of each place are kept
     * @param most how many tokens the answer has at most
     */
    AnswerChoice(Constraint constraint, boolean hasEnds, int count, int most) {
        this.constraint = constraint;
        this.hasEnds = hasEnds;
        this.count = count;
        this.likeliest = new int[count * most];
        this.logProbabilities = new float[count * most];
    }

    @Override
    public void begin(Sampler sampler) {
        sampler.keepLikeliest(count);
        kept = sampler.likeliest().length;
    }

    @Override
    public int next(Sampler sampler, MemorySegment row) {
        int token = sampler.next(row, constraint == null ? null : constraint.mask());
        if (count > 0) {
            System.arraycopy(sampler.likeliest(), 0, likeliest, written * count, kept);
            System.arraycopy(sampler.likeliestLogProbabilities(), 0, logProbabilities, written * count, kept);
            written++;
        }
        if (constraint != null) {
            constraint.accept(token);
        }
        return token;
    }

    @Override
    public boolean isComplete() {
        return constraint != null && !hasEnds && constraint.isComplete();
    }

    /** Of each of the first tokens, which are written, those that were likeliest in its place; empty unless asked for. */
    List<List<Alternative>> alternatives(int tokens) {
        List<List<Alternative>> all = new ArrayList<>();
        for (int i = 0; i < tokens && count > 0; i++) {
            all.add(likeliest(i));
        }
        return all;
    }

    /** The tokens that were likeliest in the place of one that is written; empty unless asked for. */
    List<Alternative> likeliest(int place) {
        if (count == 0) {
            return List.of();
        }
        List<Alternative> some = new ArrayList<>(kept);
        for (int at = place * count; at < place * count + kept; at++) {
            some.add(new Alternative(likeliest[at], logProbabilities[at]));
        }
        return some;
    }
}
