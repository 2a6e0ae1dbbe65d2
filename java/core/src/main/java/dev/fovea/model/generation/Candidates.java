package dev.fovea.model.generation;

/**
 * The tokens that are left to be drawn. They are in the order of their logits, the largest first and of equals the lower id
 * first, as far as somebody asks for them: a heap gives one after the other.
 */
final class Candidates {
    /** All ids; a heap whose first {@code heaped} are not taken out yet. */
    private final int[] heap;
    private int heaped;
    /** Those that were taken out, and their probabilities times a constant. */
    private final int[] order;
    private final double[] weights;
    private final double[] distances;
    private int count;
    private double sum;
    private float[] logits;

    Candidates(int vocabulary) {
        heap = new int[vocabulary];
        order = new int[vocabulary];
        weights = new double[vocabulary];
        distances = new double[vocabulary];
    }

    /**
     * Draws one.
     *
     * @param most the largest logit
     * @param number from 0 to 1, which decides
     */
    int draw(float[] logits, float most, Sampling options, double number) {
        this.logits = logits;
        float temperature = options.temperature();
        if (options.topK() > 0 && options.topK() < logits.length || options.topP() < 1) {
            heapify();
            takeLikeliest(options, most);
        } else {
            takeAll(most, temperature);
        }
        if (options.minP() > 0) {
            keepAtLeast(options.minP()); // the weight of the likeliest is 1
        }
        if (options.typicalP() < 1) {
            keepTypical(options.typicalP());
        }
        double left = number * sum;
        for (int i = 0; i < count; i++) {
            left -= weights[i];
            if (left < 0) {
                return order[i];
            }
        }
        int last = count - 1; // by rounding; not one without a probability
        while (weights[last] == 0) {
            last--;
        }
        return order[last];
    }

    private void takeAll(float most, float temperature) {
        count = logits.length;
        sum = 0;
        for (int i = 0; i < count; i++) {
            order[i] = i;
            weights[i] = Math.exp((logits[i] - most) / (double) temperature);
            sum += weights[i];
        }
    }

    private void takeLikeliest(Sampling options, float most) {
        int limit = options.topK() > 0 ? Math.min(options.topK(), logits.length) : logits.length;
        double temperature = options.temperature();
        double total = 0;
        for (int i = 0; limit == logits.length && i < limit; i++) {
            total += Math.exp((logits[i] - most) / temperature);
        }
        count = 0;
        sum = 0;
        boolean some = limit < logits.length;
        // The sum of a few is known when they are taken out; of all, it is known before.
        while (count < limit && (some || count == 0 || sum < options.topP() * total)) {
            take(most, temperature);
        }
        if (some && options.topP() < 1) {
            double enough = options.topP() * sum;
            int kept = 0;
            sum = 0;
            while (kept < count && (kept == 0 || sum < enough)) {
                sum += weights[kept++];
            }
            count = kept;
        }
    }

    private void take(float most, double temperature) {
        int token = heap[0];
        heap[0] = heap[--heaped];
        sink(0);
        order[count] = token;
        weights[count] = Math.exp((logits[token] - most) / temperature);
        sum += weights[count++];
    }

    private void keepAtLeast(float least) {
        int kept = 0;
        double keptSum = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least) {
                order[kept] = order[i];
                weights[kept] = weights[i];
                keptSum += weights[kept++];
            }
        }
        count = kept;
        sum = keptSum;
    }

    /** Those whose information is nearest to the expected one come first. */
    private void keepTypical(float mass) {
        double expected = 0;
        for (int i = 0; i < count; i++) {
            double probability = weights[i] / sum;
            expected -= probability == 0 ? 0 : probability * Math.log(probability);
        }
        for (int i = 0; i < count; i++) {
            distances[i] = Math.abs(-Math.log(weights[i] / sum) - expected);
        }
        double enough = mass * sum;
        int kept = 0;
        double keptSum = 0;
        for (int i = count / 2 - 1; i >= 0; i--) {
            sinkTypical(i, count);
        }
        // The heap's last places take what is taken out, the nearest at the end.
        int left = count;
        while (left > 0 && (kept == 0 || keptSum < enough)) {
            swap(0, --left);
            sinkTypical(0, left);
            keptSum += weights[left];
            kept++;
        }
        for (int i = 0; i < kept / 2; i++) {
            swap(count - 1 - i, count - kept + i);
        }
        System.arraycopy(order, count - kept, order, 0, kept);
        System.arraycopy(weights, count - kept, weights, 0, kept);
        count = kept;
        sum = keptSum;
    }

    private void sinkTypical(int from, int size) {
        int at = from;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && isNearer(child + 1, child)) {
                child++;
            }
            if (!isNearer(child, at)) {
                return;
            }
            swap(at, child);
            at = child;
        }
    }

    private boolean isNearer(int a, int b) {
        return distances[a] < distances[b] || distances[a] == distances[b] && order[a] < order[b];
    }

    private void swap(int a, int b) {
        int token = order[a];
        double weight = weights[a];
        double distance = distances[a];
        order[a] = order[b];
        weights[a] = weights[b];
        distances[a] = distances[b];
        order[b] = token;
        weights[b] = weight;
        distances[b] = distance;
    }

    private void heapify() {
        heaped = heap.length;
        for (int i = 0; i < heaped; i++) {
            heap[i] = i;
        }
        for (int i = heaped / 2 - 1; i >= 0; i--) {
            sink(i);
        }
    }

    private void sink(int from) {
        int at = from;
        int token = heap[at];
        while (2 * at + 1 < heaped) {
            int child = 2 * at + 1;
            if (child + 1 < heaped && isLikelier(heap[child + 1], heap[child])) {
                child++;
            }
            if (!isLikelier(heap[child], token)) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = token;
    }

    private boolean isLikelier(int a, int b) {
        return logits[a] > logits[b] || logits[a] == logits[b] && a < b;
    }
}
