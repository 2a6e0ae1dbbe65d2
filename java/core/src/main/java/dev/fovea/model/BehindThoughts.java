package dev.fovea.model;

import dev.fovea.model.grammar.Thoughts;

/** Tells of an answer what stands behind the thoughts that it may begin with. */
final class BehindThoughts implements TextListener {
    private enum Place { BEGIN, THOUGHTS, BEHIND, TEXT }

    private final TextListener listener;
    private final StringBuilder kept = new StringBuilder();
    private Place place;

    /** @param rendered what the answer follows; it may end with the begin of thoughts */
    BehindThoughts(String rendered, TextListener listener) {
        this.listener = listener;
        this.place = rendered.stripTrailing().endsWith(Thoughts.BEGIN) ? Place.THOUGHTS : Place.BEGIN;
    }

    @Override
    public boolean next(CharSequence text, int token) {
        if (place == Place.TEXT) {
            return listener.next(text, token);
        }
        kept.append(text);
        step();
        return listener.next(place == Place.TEXT ? kept : "", token);
    }

    private void step() {
        if (place == Place.BEGIN) {
            String start = kept.toString().stripLeading();
            place = start.startsWith(Thoughts.BEGIN) ? Place.THOUGHTS : Thoughts.BEGIN.startsWith(start) ? place : Place.TEXT;
        }
        if (place == Place.THOUGHTS && kept.indexOf(Thoughts.END) >= 0) {
            kept.delete(0, kept.indexOf(Thoughts.END) + Thoughts.END.length());
            place = Place.BEHIND;
        }
        if (place == Place.BEHIND) {
            String behind = kept.toString().stripLeading();
            kept.setLength(0);
            kept.append(behind);
            place = behind.isEmpty() ? place : Place.TEXT;
        }
    }
}
