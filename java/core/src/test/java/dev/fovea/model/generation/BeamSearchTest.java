package dev.fovea.model.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The search alone, in languages small enough to be searched by hand. */
class BeamSearchTest {
    /** A language of tokens a, b and end whose probabilities are given: [after nothing, after a, after b]. */
    private record Language(double[][] probabilities, List<int[]> sequences) implements NextTokens {
        static final int FIRST = 3;

        Language(double[][] probabilities, int beams) {
            this(probabilities, new ArrayList<>());
            for (int i = 0; i < beams; i++) {
                sequences.add(new int[0]);
            }
        }

        @Override
        public void append(List<int[]> tokens) {
            for (int s = 0; s < tokens.size(); s++) {
                if (tokens.get(s).length > 0) {
                    sequences.set(s, tokens.get(s));
                }
            }
        }

        @Override
        public int candidates() {
            return probabilities[0].length;
        }

        @Override
        public int token(int sequence, int rank) {
            return ranking(sequence).get(rank);
        }

        @Override
        public double logProbability(int sequence, int rank) {
            return Math.log(row(sequence)[token(sequence, rank)]);
        }

        private List<Integer> ranking(int sequence) {
            double[] row = row(sequence);
            return IntStream.range(0, row.length).boxed()
                    .sorted(Comparator.comparingDouble(token -> -row[token])).toList();
        }

        private double[] row(int sequence) {
            int last = sequences.get(sequence)[0];
            return probabilities[last == FIRST ? 0 : last + 1];
        }

        @Override
        public void fork(int from, int to) {
            sequences.set(to, sequences.get(from));
        }
    }

    @Test
    void shouldFindWhatGreedySearchMisses() {
        double[][] probabilities = {{0.6, 0.4, 0, 0}, {0.3, 0.3, 0.4, 0}, {0.05, 0.05, 0.9, 0}};
        assertArrayEquals(new int[] {0}, search(probabilities, 1, 0));
        assertArrayEquals(new int[] {1}, search(probabilities, 2, 0));
    }

    @Test
    void shouldPreferLongerTargetsByTheLengthPenalty() {
        double[][] probabilities = {{0.5, 0.05, 0.45, 0}, {0.1, 0.1, 0.8, 0}, {0.3, 0.3, 0.4, 0}};
        assertArrayEquals(new int[] {}, search(probabilities, 2, 0));
        assertArrayEquals(new int[] {0}, search(probabilities, 2, 1));
    }

    @Test
    void shouldAnnounceATokenOnceAllHypothesesAgreeOnIt() {
        double[][] probabilities = {{0.9, 0.1, 0, 0}, {0.2, 0.5, 0.3, 0}, {0.05, 0.05, 0.9, 0}};
        var language = new Language(probabilities, 2);
        List<Integer> announced = new ArrayList<>();
        var found = BeamSearch.search(language, List.of(new int[] {Language.FIRST}), new SearchOptions(2, 5, 2, 0),
                (source, token) -> {
                    assertEquals(0, source);
                    announced.add(token);
                }).getFirst();
        assertArrayEquals(found, announced.stream().mapToInt(token -> token).toArray());
        assertEquals(0, announced.getFirst());
    }

    private static int[] search(double[][] probabilities, int beams, double lengthPenalty) {
        var language = new Language(probabilities, beams);
        var options = new SearchOptions(2, 5, beams, lengthPenalty);
        return BeamSearch.search(language, List.of(new int[] {Language.FIRST}), options, (_, _) -> { }).getFirst();
    }
}
