package dev.fovea.model;

import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.generation.Sampler;
import dev.fovea.model.generation.TokenChoice;
import dev.fovea.model.grammar.Constraint;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Chooses the tokens of an answer that has a form, or of which the likeliest tokens are told. For one answer. */
final class AnswerChoice implements TokenChoice {
    /** Null where the answer may look like anything. */
    private final Constraint constraint;
    private final boolean hasEnds;
    private final int count;
    /** By the places of tokens: one thread writes them, and another one reads what is written already. */
    private final List<Alternative>[] alternatives;
    private int places;

    /**
     * Of one answer.
     *
     * @param constraint null for none
     * @param hasEnds whether a token ends texts; else an answer ends where its form leaves nothing more to say
     * @param count how many of the likeliest tokens of each place are kept
     * @param most tokens of the answer at most
     */
    @SuppressWarnings({"unchecked", "rawtypes"})
    AnswerChoice(Constraint constraint, boolean hasEnds, int count, int most) {
        this.constraint = constraint;
        this.hasEnds = hasEnds;
        this.count = count;
        this.alternatives = new List[count > 0 ? most : 0];
    }

    @Override
    public void begin(Sampler sampler) {
        sampler.keepLikeliest(count);
    }

    @Override
    public int next(Sampler sampler, MemorySegment row) {
        int token = sampler.next(row, constraint == null ? null : constraint.mask());
        if (count > 0) {
            alternatives[places++] = alternatives(sampler.likeliest(), sampler.likeliestLogProbabilities());
        }
        if (constraint != null) {
            constraint.accept(token);
        }
        return token;
    }

    private static List<Alternative> alternatives(int[] tokens, float[] logProbabilities) {
        List<Alternative> some = new ArrayList<>(tokens.length);
        for (int i = 0; i < tokens.length; i++) {
            some.add(new Alternative(tokens[i], logProbabilities[i]));
        }
        return some;
    }

    @Override
    public boolean isComplete() {
        return constraint != null && !hasEnds && constraint.isComplete();
    }

    /** Of each of the first tokens, those that were likeliest in its place; empty unless asked for. */
    List<List<Alternative>> alternatives(int tokens) {
        return Arrays.asList(alternatives).subList(0, Math.min(tokens, alternatives.length));
    }

    /** The tokens that were likeliest in the place of one that is written; empty unless asked for. */
    List<Alternative> likeliest(int place) {
        return count > 0 ? alternatives[place] : List.of();
    }
}
