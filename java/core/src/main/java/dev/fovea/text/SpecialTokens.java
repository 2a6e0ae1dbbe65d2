package dev.fovea.text;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;

/**
 * The tokens that a model wants around a single text, from the {@code post_processor} of a
 * {@code tokenizer.json}.
 *
 * @param before ids before the text
 * @param after ids after the text
 * @param first the first token before the text, or null
 * @param last the last token after it, or null
 */
record SpecialTokens(List<Integer> before, List<Integer> after, String first, String last) {
    private static final String TEMPLATE = "TemplateProcessing";
    private static final String BERT = "BertProcessing";

    /** Reads {@code post_processor} of {@code root}; without one, nothing is put around a text. */
    static SpecialTokens of(JsonFields root, int maxId) throws FormatException {
        if (!root.has("post_processor")) {
            return new SpecialTokens(List.of(), List.of(), null, null);
        }
        JsonFields processor = root.object("post_processor");
        return switch (processor.string("type")) {
            case TEMPLATE -> ofTemplate(processor, maxId);
            case BERT -> new SpecialTokens(
                    List.of(processor.namedInteger("cls", maxId)), List.of(processor.namedInteger("sep", maxId)),
                    processor.nameOf("cls"), processor.nameOf("sep"));
            default -> throw processor.error("type",
                    "expected " + TEMPLATE + " or " + BERT + ", got '" + Excerpt.of(processor.string("type")) + "'");
        };
    }

    private static SpecialTokens ofTemplate(JsonFields processor, int maxId) throws FormatException {
        List<Integer> before = new ArrayList<>();
        List<Integer> after = new ArrayList<>();
        String first = null;
        String last = null;
        boolean textSeen = false;
        for (JsonFields piece : processor.objects("single")) {
            JsonFields part = piece.object(piece.has("Sequence") ? "Sequence" : "SpecialToken");
            if (part.integer("type_id", maxId) != 0) {
                throw part.error("type_id", "expected 0 in the template of a single text, got "
                        + part.integer("type_id", maxId));
            }
            if (!piece.has("Sequence")) {
                JsonFields token = processor.object("special_tokens").object(part.string("id"));
                (textSeen ? after : before).addAll(token.integers("ids", maxId));
                first = textSeen || first != null ? first : part.string("id");
                last = textSeen ? part.string("id") : null;
            } else if (textSeen || !part.string("id").equals("A")) {
                throw part.error("id", "expected the text A once in the template of a single text");
            } else {
                textSeen = true;
            }
        }
        if (!textSeen) {
            throw processor.error("single", "the template has no place for the text");
        }
        return new SpecialTokens(List.copyOf(before), List.copyOf(after), first, last);
    }
}
