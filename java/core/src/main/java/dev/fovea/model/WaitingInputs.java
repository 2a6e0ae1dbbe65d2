package dev.fovea.model;

import java.util.ArrayList;
import java.util.List;

/** Inputs in the order in which they came, any of which may leave. For one thread at a time. */
final class WaitingInputs<R> {
    private QueuedInput<R> first;
    private QueuedInput<R> last;
    private int count;
    private long tokens;

    boolean isEmpty() {
        return first == null;
    }

    QueuedInput<R> first() {
        return first;
    }

    int count() {
        return count;
    }

    long tokens() {
        return tokens;
    }

    void add(QueuedInput<R> input) {
        input.previous = last;
        if (last == null) {
            first = input;
        } else {
            last.next = input;
        }
        last = input;
        input.waits = true;
        count++;
        tokens += input.tokens();
    }

    /** Takes one out; false if it does not wait any more. */
    boolean remove(QueuedInput<R> input) {
        if (!input.waits) {
            return false;
        }
        if (input.previous == null) {
            first = input.next;
        } else {
            input.previous.next = input.next;
        }
        if (input.next == null) {
            last = input.previous;
        } else {
            input.next.previous = input.previous;
        }
        input.previous = null;
        input.next = null;
        input.waits = false;
        count--;
        tokens -= input.tokens();
        return true;
    }

    /** Takes out the first ones, of at most so many tokens; at least one, if there is one. */
    List<QueuedInput<R>> take(long most) {
        int taken = 0;
        long sum = 0;
        for (QueuedInput<R> input = first; input != null && (taken == 0 || sum + input.tokens() <= most); input = input.next) {
            sum += input.tokens();
            taken++;
        }
        List<QueuedInput<R>> result = new ArrayList<>(taken);
        while (result.size() < taken) {
            result.add(first);
            remove(first);
        }
        return result;
    }
}
