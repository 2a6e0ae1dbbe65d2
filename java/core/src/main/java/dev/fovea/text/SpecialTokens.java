package dev.fovea.text;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model reads of a single text and of a pair, from the {@code post_processor} of a {@code tokenizer.json}.
 *
 * @param single the pieces of a single text
 * @param pair the pieces of a pair; empty where the file has none
 */
record SpecialTokens(List<Piece> single, List<Piece> pair) {
    /**
     * Special tokens, or the place of a text.
     *
     * @param text 0 or 1 for the place of the first or second text; −1 for tokens
     * @param token what they are called, or null for a text
     * @param ids of the tokens
     * @param type of all of its tokens
     */
    record Piece(int text, String token, List<Integer> ids, int type) {}

    private static final String TEMPLATE = "TemplateProcessing";
    private static final String BERT = "BertProcessing";
    private static final String ROBERTA = "RobertaProcessing";
    private static final String BYTES = "ByteLevel";
    private static final String SEQUENCE = "Sequence";

    /** Nothing around a text, and nothing between two. */
    private static SpecialTokens none() {
        return new SpecialTokens(List.of(text(0, 0)), List.of(text(0, 0), text(1, 1)));
    }

    /** Reads {@code post_processor} of {@code root}; without one, nothing is put around a text. */
    static SpecialTokens of(JsonFields root, int maxId) throws FormatException {
        return root.has("post_processor") ? ofProcessor(root.object("post_processor"), maxId) : none();
    }

    private static SpecialTokens ofProcessor(JsonFields processor, int maxId) throws FormatException {
        return switch (processor.string("type")) {
            case TEMPLATE -> new SpecialTokens(ofTemplate(processor, "single", maxId),
                    processor.has("pair") ? ofTemplate(processor, "pair", maxId) : List.of());
            case BERT -> around(processor, 1, 1, maxId);
            case ROBERTA -> around(processor, 2, 0, maxId);
            case BYTES -> none(); // it changes offsets alone
            case SEQUENCE -> ofSequence(processor, maxId);
            default -> throw processor.error("type", "expected " + TEMPLATE + ", " + BERT + ", " + ROBERTA + ", " + BYTES
                    + " or " + SEQUENCE + ", got '" + Excerpt.of(processor.string("type")) + "'");
        };
    }

    /** One that puts tokens around, and others that do not. */
    private static SpecialTokens ofSequence(JsonFields processor, int maxId) throws FormatException {
        SpecialTokens found = none();
        for (JsonFields one : processor.objects("processors")) {
            if (!one.string("type").equals(BYTES)) {
                if (!found.equals(none()) || one.string("type").equals(SEQUENCE)) {
                    throw processor.error("processors", "expected one processor beside those of type " + BYTES);
                }
                found = ofProcessor(one, maxId);
            }
        }
        return found;
    }

    /** [CLS] first [SEP] second [SEP], with so many separators between the texts. */
    private static SpecialTokens around(JsonFields processor, int between, int secondType, int maxId)
            throws FormatException {
        Piece begin = new Piece(-1, processor.nameOf("cls"), List.of(processor.namedInteger("cls", maxId)), 0);
        int separator = processor.namedInteger("sep", maxId);
        String name = processor.nameOf("sep");
        Piece end = new Piece(-1, name, List.of(separator), 0);
        Piece middle = new Piece(-1, name, between == 1 ? List.of(separator) : List.of(separator, separator), 0);
        return new SpecialTokens(List.of(begin, text(0, 0), end), List.of(begin, text(0, 0), middle,
                text(1, secondType), new Piece(-1, name, List.of(separator), secondType)));
    }

    private static Piece text(int text, int type) {
        return new Piece(text, null, List.of(), type);
    }

    private static List<Piece> ofTemplate(JsonFields processor, String key, int maxId) throws FormatException {
        boolean single = key.equals("single");
        String wanted = single ? "A" : "AB";
        StringBuilder seen = new StringBuilder();
        List<Piece> pieces = new ArrayList<>();
        for (JsonFields piece : processor.objects(key)) {
            JsonFields part = piece.object(piece.has("Sequence") ? "Sequence" : "SpecialToken");
            int type = part.integer("type_id", maxId);
            if (single && type != 0) {
                throw part.error("type_id", "expected 0 in the template of a single text, got " + type);
            }
            if (!piece.has("Sequence")) {
                JsonFields token = processor.object("special_tokens").object(part.string("id"));
                pieces.add(new Piece(-1, part.string("id"), token.integers("ids", maxId), type));
            } else {
                String id = part.string("id");
                if (seen.length() == wanted.length() || !id.equals(wanted.substring(seen.length(), seen.length() + 1))) {
                    throw part.error("id", single ? "expected the text A once in the template of a single text"
                            : "expected the texts A and B once each, in this order, in the template of a pair");
                }
                pieces.add(text(seen.length(), type));
                seen.append(id);
            }
        }
        if (seen.length() < wanted.length()) {
            throw processor.error(key, single ? "the template has no place for the text"
                    : "the template has no place for both texts");
        }
        return List.copyOf(pieces);
    }

    /** Ids before the single text. */
    int[] before() {
        return ids(true);
    }

    /** Ids after the single text. */
    int[] after() {
        return ids(false);
    }

    /** What the first token before the single text is called; null if there is none. */
    String first() {
        return single.isEmpty() ? null : single.getFirst().token();
    }

    /** What the last token after it is called; null if there is none. */
    String last() {
        return single.isEmpty() ? null : single.getLast().token();
    }

    private int[] ids(boolean before) {
        List<Integer> ids = new ArrayList<>();
        boolean seen = false;
        for (Piece piece : single) {
            seen |= piece.text() >= 0;
            if (seen != before) {
                ids.addAll(piece.ids());
            }
        }
        int[] array = new int[ids.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = ids.get(i);
        }
        return array;
    }

    /** All ids that may stand around a text. */
    List<Integer> all() {
        List<Integer> ids = new ArrayList<>();
        for (Piece piece : single) {
            ids.addAll(piece.ids());
        }
        for (Piece piece : pair) {
            ids.addAll(piece.ids());
        }
        return ids;
    }
}
