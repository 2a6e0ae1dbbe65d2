package dev.fovea.model.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Search for the likeliest targets of several sources at once, by following a few hypotheses of each. With one
 * hypothesis it is greedy search. Graves, arXiv:1211.3711; the length penalty is that of Wu et al., arXiv:1609.08144.
 *
 * <p>Source s has the model's sequences {@code s · beams … s · beams + beams − 1}.
 */
public final class BeamSearch {
    /** Hears of tokens as they become certain. */
    @FunctionalInterface
    public interface Listener {
        /** The next token of a source's target. */
        void token(int source, int token);
    }

    /** A target that is being written, or finished. */
    private record Hypothesis(int[] tokens, double logProbability, int sequence) {
        Hypothesis followedBy(int token, double total, int sequence) {
            int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
            longer[tokens.length] = token;
            return new Hypothesis(longer, total, sequence);
        }
    }

    /** A hypothesis and a token that may follow it. */
    private record Candidate(Hypothesis hypothesis, int token, double total) {}

    /** The hypotheses of one source, the likeliest first. */
    private static final class Beam {
        private List<Hypothesis> live = new ArrayList<>();
        private final List<Hypothesis> finished = new ArrayList<>();
        private int announced;
    }

    private final NextTokens model;
    private final SearchOptions options;
    private final Listener listener;
    private final List<Beam> beams = new ArrayList<>();

    private BeamSearch(NextTokens model, SearchOptions options, Listener listener) {
        this.model = model;
        this.options = options;
        this.listener = listener;
    }

    /**
     * The best target for each prompt.
     *
     * @param model its sequences are empty
     * @param prompts at least one token each
     */
    public static List<int[]> search(NextTokens model, List<int[]> prompts, SearchOptions options,
            Listener listener) {
        var search = new BeamSearch(model, options, listener);
        search.start(prompts);
        while (search.beams.stream().anyMatch(beam -> !beam.live.isEmpty())) {
            search.step();
        }
        return search.beams.stream().map(search::best).map(Hypothesis::tokens).toList();
    }

    private void start(List<int[]> prompts) {
        List<int[]> tokens = nothing(prompts.size());
        for (int s = 0; s < prompts.size(); s++) {
            tokens.set(s * options.beams(), prompts.get(s));
            var beam = new Beam();
            beam.live.add(new Hypothesis(new int[0], 0, s * options.beams()));
            beams.add(beam);
        }
        model.append(tokens);
        expandAll();
    }

    private void step() {
        List<int[]> tokens = nothing(beams.size());
        for (Beam beam : beams) {
            for (Hypothesis hypothesis : beam.live) {
                int[] written = hypothesis.tokens();
                tokens.set(hypothesis.sequence(), new int[] {written[written.length - 1]});
            }
        }
        model.append(tokens);
        expandAll();
    }

    private List<int[]> nothing(int sources) {
        List<int[]> tokens = new ArrayList<>();
        for (int i = 0; i < sources * options.beams(); i++) {
            tokens.add(new int[0]);
        }
        return tokens;
    }

    private void expandAll() {
        for (int s = 0; s < beams.size(); s++) {
            if (!beams.get(s).live.isEmpty()) {
                expand(beams.get(s), s * options.beams());
                announce(s, beams.get(s));
            }
        }
    }

    /** Replaces the hypotheses of a beam by their likeliest continuations. */
    private void expand(Beam beam, int firstSequence) {
        List<Candidate> candidates = candidates(beam);
        List<Candidate> kept = new ArrayList<>();
        for (int rank = 0; rank < candidates.size() && kept.size() < options.beams(); rank++) {
            Candidate candidate = candidates.get(rank);
            if (candidate.token() != options.endId()) {
                kept.add(candidate);
            } else if (rank < options.beams()) {
                int[] tokens = candidate.hypothesis().tokens();
                beam.finished.add(new Hypothesis(tokens, candidate.total(), -1));
            }
        }
        beam.live = beam.finished.size() >= options.beams() ? new ArrayList<>() : continued(kept, firstSequence);
        if (!beam.live.isEmpty() && beam.live.getFirst().tokens().length == options.maxTokens()) {
            beam.finished.addAll(beam.live);
            beam.live = new ArrayList<>();
        }
    }

    /** Twice as many as there are beams, so that as many are left when some of them end; the likeliest first. */
    private List<Candidate> candidates(Beam beam) {
        List<Candidate> all = new ArrayList<>();
        int ranks = Math.min(model.candidates(), 2 * options.beams());
        for (Hypothesis hypothesis : beam.live) {
            for (int rank = 0; rank < ranks; rank++) {
                int token = model.token(hypothesis.sequence(), rank);
                double logProbability = model.logProbability(hypothesis.sequence(), rank);
                all.add(new Candidate(hypothesis, token, hypothesis.logProbability() + logProbability));
            }
        }
        // Stable: of equals, the one of the better hypothesis and the lower token comes first.
        all.sort(Comparator.comparingDouble(candidate -> -candidate.total()));
        return all.subList(0, Math.min(all.size(), 2 * options.beams()));
    }

    /**
     * Gives each kept candidate a sequence. The first of those that continue one hypothesis goes on in its sequence, so
     * that no sequence is overwritten that is still read; the others fork it into sequences that no one continues.
     */
    private List<Hypothesis> continued(List<Candidate> kept, int firstSequence) {
        boolean[] taken = new boolean[options.beams()];
        kept.forEach(candidate -> taken[candidate.hypothesis().sequence() - firstSequence] = true);
        boolean[] inherited = new boolean[options.beams()];
        List<Hypothesis> live = new ArrayList<>();
        for (Candidate candidate : kept) {
            int parent = candidate.hypothesis().sequence() - firstSequence;
            int own = parent;
            if (inherited[parent]) {
                own = firstFree(taken);
                taken[own] = true;
                model.fork(firstSequence + parent, firstSequence + own);
            }
            inherited[parent] = true;
            live.add(candidate.hypothesis().followedBy(candidate.token(), candidate.total(), firstSequence + own));
        }
        return live;
    }

    private static int firstFree(boolean[] taken) {
        int free = 0;
        while (taken[free]) {
            free++;
        }
        return free;
    }

    /** Announces the tokens on which all hypotheses that may still win agree. */
    private void announce(int source, Beam beam) {
        List<Hypothesis> possible = new ArrayList<>(beam.live);
        if (beam.live.isEmpty()) {
            possible.add(best(beam));
        } else {
            possible.addAll(beam.finished);
        }
        int[] first = possible.getFirst().tokens();
        int agreed = first.length;
        for (Hypothesis other : possible) {
            int differs = Arrays.mismatch(first, 0, agreed, other.tokens(), 0, Math.min(agreed, other.tokens().length));
            agreed = differs < 0 ? agreed : differs;
        }
        while (beam.announced < agreed) {
            listener.token(source, first[beam.announced++]);
        }
    }

    private Hypothesis best(Beam beam) {
        return beam.finished.stream().min(Comparator.comparingDouble(each -> -score(each))).orElseThrow();
    }

    private double score(Hypothesis hypothesis) {
        return hypothesis.logProbability()
                / Math.pow((5.0 + hypothesis.tokens().length) / 6.0, options.lengthPenalty());
    }
}
