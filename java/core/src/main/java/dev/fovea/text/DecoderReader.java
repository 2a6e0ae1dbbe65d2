package dev.fovea.text;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.text.DecoderPart;
import dev.fovea.internal.text.Normalizer;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;

/** Reads the {@code decoder} of a {@code tokenizer.json}: what makes text of tokens. */
final class DecoderReader {
    private static final String SEQUENCE = "Sequence";
    private static final int MAX_DEPTH = 8;
    /** Each token goes through all of them. */
    private static final int MAX_PARTS = 100;
    private static final int MAX_CHARS = 2000;

    private final List<DecoderPart> parts = new ArrayList<>();
    /** Whether tokens come in parts by now. */
    private boolean inParts;

    private DecoderReader() {}

    /** The parts, in order; without a decoder, spaces between tokens. */
    static List<DecoderPart> read(JsonFields root) throws FormatException {
        if (!root.has("decoder")) {
            return List.of(new DecoderPart.Spaces());
        }
        DecoderReader reader = new DecoderReader();
        reader.add(root.object("decoder"), 0);
        return List.copyOf(reader.parts);
    }

    private void add(JsonFields json, int depth) throws FormatException {
        String type = json.string("type");
        if (type.equals(SEQUENCE) && depth < MAX_DEPTH) {
            for (JsonFields one : json.objects("decoders")) {
                add(one, depth + 1);
            }
            return;
        }
        DecoderPart part = part(json, type);
        if (parts.size() == MAX_PARTS) {
            throw json.error("type", "expected at most " + MAX_PARTS + " decoders, got more");
        }
        if (inParts && !part.takesParts()) {
            throw json.error("type", "'" + type + "' is not supported behind a decoder that makes one token of several");
        }
        inParts |= part.givesParts();
        parts.add(part);
    }

    private static DecoderPart part(JsonFields json, String type) throws FormatException {
        return switch (type) {
            case "ByteLevel" -> new DecoderPart.Bytes();
            case "ByteFallback" -> new DecoderPart.ByteFallback();
            case "Fuse" -> new DecoderPart.Fuse();
            case "Metaspace" -> new DecoderPart.Metaspace(character(json, "replacement"), !isNever(json));
            case "WordPiece" -> new DecoderPart.WordPiece(text(json, "prefix", 0), json.flag("cleanup"));
            case "BPEDecoder" -> new DecoderPart.Suffix(text(json, "suffix", 1));
            case "Strip" -> new DecoderPart.Strip(character(json, "content"), json.integer("start", Integer.MAX_VALUE),
                    json.integer("stop", Integer.MAX_VALUE));
            case "Replace" -> new DecoderPart.Replace(replace(json));
            default -> throw json.error("type", "'" + Excerpt.of(type) + "' is not supported, but [BPEDecoder, ByteFallback,"
                    + " ByteLevel, Fuse, Metaspace, Replace, Strip, WordPiece] and " + SEQUENCE + " to a depth of " + MAX_DEPTH);
        };
    }

    /** The scheme; in files of before there was one, the flag. */
    private static boolean isNever(JsonFields json) throws FormatException {
        return json.has("prepend_scheme") ? json.string("prepend_scheme").equals("never")
                : json.has("add_prefix_space") && !json.flag("add_prefix_space");
    }

    private static Normalizer.Replace replace(JsonFields json) throws FormatException {
        JsonFields pattern = json.object("pattern");
        boolean isRegex = pattern.has("Regex");
        try {
            return new Normalizer.Replace(text(pattern, isRegex ? "Regex" : "String", 1), isRegex, text(json, "content", 0));
        } catch (IllegalArgumentException e) {
            throw json.error("pattern", e.getMessage());
        }
    }

    private static int character(JsonFields json, String key) throws FormatException {
        String text = json.string(key);
        if (text.isEmpty() || text.codePointCount(0, text.length()) != 1) {
            throw json.error(key, "expected one character, got '" + Excerpt.of(text) + "'");
        }
        return text.codePointAt(0);
    }

    private static String text(JsonFields json, String key, int least) throws FormatException {
        String text = json.string(key);
        if (text.length() < least || text.length() > MAX_CHARS) {
            throw json.error(key, "expected a text of " + least + " to " + MAX_CHARS + " chars, got " + text.length());
        }
        return text;
    }
}
