package dev.fovea.model.generation;

import java.util.List;

/**
 * Holds back what may be the beginning of a text that ends an answer, whatever the borders of tokens, and gives the rest.
 * Once warm it allocates nothing on the Java heap.
 */
public final class StopTexts {
    private List<String> stops = List.of();
    private final StringBuilder held = new StringBuilder();

    /** Begins an answer. */
    public void start(List<String> stops) {
        this.stops = stops;
        held.setLength(0);
    }

    /**
     * Takes more of the answer.
     *
     * @param out is given what is certain not to belong to a stop text
     * @return whether there is one; nothing behind it is given
     */
    public boolean add(CharSequence text, StringBuilder out) {
        held.append(text);
        int first = -1;
        for (int i = 0; i < stops.size(); i++) {
            int at = held.indexOf(stops.get(i));
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }
        int certain = first >= 0 ? first : held.length() - beginning();
        out.append(held, 0, certain);
        held.delete(0, first >= 0 ? held.length() : certain);
        return first >= 0;
    }

    /** The rest, as nothing follows. */
    public void end(StringBuilder out) {
        out.append(held);
        held.setLength(0);
    }

    /** Chars at the end that are the beginning of a stop text. */
    private int beginning() {
        int longest = 0;
        for (int i = 0; i < stops.size(); i++) {
            String stop = stops.get(i);
            for (int size = Math.min(stop.length() - 1, held.length()); size > longest; size--) {
                if (endsWith(stop, size)) {
                    longest = size;
                }
            }
        }
        return longest;
    }

    private boolean endsWith(String stop, int size) {
        int from = held.length() - size;
        for (int i = 0; i < size; i++) {
            if (held.charAt(from + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
