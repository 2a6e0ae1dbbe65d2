package dev.fovea.model.generation;

import dev.fovea.model.generation.Sampling.Bias;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Chooses the next token by the logits of a model: see {@link Sampling} for what is done to them. Serves one thread and one
 * answer at a time; once made it allocates nothing on the Java heap.
 */
public final class Sampler {
    private final float[] logits;
    private final float softcap;
    private final Candidates candidates;
    /** How often each token was written; −1 for one that is in the prompt alone. */
    private final int[] counts;
    /** The tokens whose count is not 0. */
    private final int[] seen;
    private int seenCount;
    private Sampling options;
    private long state;
    private double logProbability;
    /** Of the likeliest tokens: ids, and the logarithms of their probabilities. */
    private int[] likeliest = new int[0];
    private float[] likeliestLogs = new float[0];

    /**
     * For a vocabulary.
     *
     * @param softcap what logits are multiplied by, 0 for nothing; see {@link dev.fovea.model.family.ModelGraph#generator}
     */
    public Sampler(int vocabulary, float softcap) {
        this.logits = new float[vocabulary];
        this.softcap = softcap;
        this.candidates = new Candidates(vocabulary);
        this.counts = new int[vocabulary];
        this.seen = new int[vocabulary];
    }

    /** Begins an answer. */
    public void start(Sampling options) {
        this.options = options;
        this.state = options.seed();
        for (int i = 0; i < seenCount; i++) {
            counts[seen[i]] = 0;
        }
        seenCount = 0;
    }

    /** Keeps so many of the likeliest tokens of each place from now on. */
    public void keepLikeliest(int count) {
        if (likeliest.length != Math.min(count, logits.length)) {
            likeliest = new int[Math.min(count, logits.length)];
            likeliestLogs = new float[likeliest.length];
        }
    }

    /** The likeliest tokens where the last one was chosen, by the logits as they came; of equals, the lower ids first. */
    public int[] likeliest() {
        return likeliest;
    }

    /** The logarithms of their probabilities. */
    public float[] likeliestLogProbabilities() {
        return likeliestLogs;
    }

    /** A token of the prompt. */
    public void read(int token) {
        if (counts[token] == 0) {
            seen[seenCount++] = token;
            counts[token] = -1;
        }
    }

    /** The logarithm of the probability of the token that was chosen last, by the logits as they came. */
    public double logProbability() {
        return logProbability;
    }

    /** Chooses a token, whichever; see {@link #next(MemorySegment, long[])}. */
    public int next(MemorySegment row) {
        return next(row, null);
    }

    /**
     * Chooses a token.
     *
     * @param row F32 [vocabulary], the logits
     * @param mask a bit for each token that may be chosen; null for all
     * @throws ArithmeticException if they are not finite
     * @throws IllegalArgumentException if no token may be chosen
     */
    public int next(MemorySegment row, long[] mask) {
        MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
        if (softcap != 0) {
            for (int i = 0; i < logits.length; i++) {
                logits[i] *= softcap;
            }
        }
        float most = most();
        double normalizer = options.logProbabilities() || likeliest.length > 0 ? normalizer(most) : 0;
        findLikeliest(normalizer);
        // Of the token that is chosen, before biases and penalties change it.
        int token;
        if (options.changesLogits() || mask != null) {
            change();
            token = choose(mask == null ? most() : most(mask));
            float logit = row.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) token * Float.BYTES);
            logProbability = (double) logit * (softcap == 0 ? 1 : softcap) - normalizer;
        } else {
            token = choose(most);
            logProbability = logits[token] - normalizer;
        }
        write(token);
        return token;
    }

    /** A token of the answer that was chosen before: what follows is chosen as if it had been now. */
    public void resume(int token) {
        write(token);
        if (options.temperature() != 0) {
            draw();
        }
    }

    private void findLikeliest(double normalizer) {
        int count = 0;
        for (int token = 0; token < logits.length && likeliest.length > 0; token++) {
            if (count == likeliest.length && !(logits[token] > logits[likeliest[count - 1]])) {
                continue;
            }
            int at = count < likeliest.length ? count++ : count - 1;
            for (; at > 0 && logits[token] > logits[likeliest[at - 1]]; at--) {
                likeliest[at] = likeliest[at - 1];
            }
            likeliest[at] = token;
        }
        for (int i = 0; i < count; i++) {
            likeliestLogs[i] = (float) (logits[likeliest[i]] - normalizer);
        }
    }

    private void write(int token) {
        read(token);
        counts[token] = Math.max(0, counts[token]) + 1;
    }

    /** The largest logit; a sum finds what is not finite. */
    private float most() {
        float most = Float.NEGATIVE_INFINITY;
        float differences = 0;
        for (float logit : logits) {
            most = Math.max(most, logit); // NaN wins
            differences += logit - logit == 0 || logit == Float.NEGATIVE_INFINITY ? 0 : 1;
        }
        if (most == Float.NEGATIVE_INFINITY) {
            throw new IllegalArgumentException("no token may follow: biases and the format keep all from being written");
        }
        if (differences > 0) {
            throw new ArithmeticException("the logits are not finite: they have NaN or infinity");
        }
        return most;
    }

    /** As {@link #most()}, of those tokens that a mask leaves; the logits of others become −∞. */
    private float most(long[] mask) {
        for (int i = 0; i < mask.length; i++) {
            int end = Math.min(i + 1 << 6, logits.length);
            if (mask[i] == 0) {
                Arrays.fill(logits, i << 6, end, Float.NEGATIVE_INFINITY);
            } else if (mask[i] != -1) {
                for (int token = i << 6; token < end; token++) {
                    if ((mask[i] >>> token & 1) == 0) {
                        logits[token] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
        }
        return most();
    }

    private double normalizer(float most) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - most);
        }
        return most + Math.log(sum);
    }

    private void change() {
        for (Bias bias : options.biases()) {
            logits[bias.token()] += bias.amount();
        }
        for (int i = 0; i < seenCount; i++) {
            int token = seen[i];
            float logit = logits[token];
            logit = logit > 0 ? logit / options.repetitionPenalty() : logit * options.repetitionPenalty();
            int count = Math.max(0, counts[token]);
            logits[token] = count == 0 ? logit : logit - options.presencePenalty() - count * options.frequencyPenalty();
        }
    }

    private int choose(float most) {
        if (options.temperature() == 0) {
            int token = 0;
            while (logits[token] != most) {
                token++;
            }
            return token;
        }
        return candidates.draw(logits, most, options, draw());
    }

    /** The next number from 0 to 1: Steele et al., SplitMix64, OOPSLA 2014. */
    private double draw() {
        state += 0x9e3779b97f4a7c15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1p-53;
    }
}
