package dev.fovea.text;

import dev.fovea.internal.files.Utf8;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Finds {@code model.vocab} in a {@code tokenizer.json} and reads it by RFC 8259, in one pass over the bytes: nine
 * tenths of the file, which a parser of any JSON takes a tenth of a second for while the JVM is still cold.
 */
final class VocabularyReader {
    private final Path file;
    private final byte[] bytes;
    private int at;
    private Vocabulary vocabulary;
    private int start;
    private int end;

    private VocabularyReader(Path file, byte[] bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /**
     * Reads the vocabulary in a file's bytes, whatever else they are.
     *
     * @throws FormatException if there are two, or one is not an object of different tokens and their ids
     */
    static VocabularyReader read(Path file, byte[] bytes) throws FormatException {
        VocabularyReader reader = new VocabularyReader(file, bytes);
        reader.search();
        return reader;
    }

    /** The vocabulary, or null if the file has no object {@code model.vocab}. */
    Vocabulary vocabulary() {
        return vocabulary;
    }

    /** The file with an empty object in place of the vocabulary. */
    byte[] rest() {
        if (vocabulary == null) {
            return bytes;
        }
        byte[] rest = new byte[start + 2 + bytes.length - end];
        System.arraycopy(bytes, 0, rest, 0, start);
        rest[start] = '{';
        rest[start + 1] = '}';
        System.arraycopy(bytes, end, rest, start + 2, bytes.length - end);
        return rest;
    }

    /** Goes through the objects of the first two levels, and over everything in them. */
    private void search() throws FormatException {
        int depth = 0;
        boolean inModel = false;
        String key = "";
        while (at < bytes.length) {
            switch (bytes[at]) {
                case '"' -> {
                    String text = skipString(depth <= 2);
                    skipSpace();
                    key = at < bytes.length && bytes[at] == ':' ? text : "";
                    continue;
                }
                case '{' -> {
                    if (depth == 2 && inModel && key.equals("vocab")) {
                        readVocabulary();
                        key = "";
                        continue;
                    }
                    depth++;
                    inModel = depth == 2 ? key.equals("model") : inModel;
                }
                case '[' -> {
                    depth++;
                    inModel &= depth != 2;
                }
                case '}', ']' -> depth--;
                default -> { }
            }
            at++;
        }
    }

    /** Skips the string that begins here; its bytes, escapes as they stand, if they are {@code wanted}. */
    private String skipString(boolean wanted) {
        int first = ++at;
        while (at < bytes.length && bytes[at] != '"') {
            at += bytes[at] == '\\' ? 2 : 1;
        }
        int last = Math.min(at, bytes.length);
        at = last + 1;
        return wanted ? new String(bytes, first, last - first, StandardCharsets.ISO_8859_1) : "";
    }

    private void readVocabulary() throws FormatException {
        if (vocabulary != null) {
            throw new FormatException(file, at, "model.vocab", "the vocabulary occurs twice");
        }
        start = at;
        vocabulary = new Vocabulary();
        at++;
        skipSpace();
        if (peek() == '}') {
            at++;
        } else {
            readEntry();
            while (peek() == ',') {
                at++;
                skipSpace();
                readEntry();
            }
            take('}');
        }
        end = at;
    }

    /** A token, its id, and the space behind them. */
    private void readEntry() throws FormatException {
        vocabulary.begin();
        take('"');
        while (peek() != '"') {
            if (bytes[at] >= ' ' && bytes[at] != '\\') {
                vocabulary.append((char) bytes[at++]);
            } else if (bytes[at] == '\\') {
                at++;
                vocabulary.append(readEscape());
            } else if (bytes[at] < 0) {
                readEncoded();
            } else {
                throw malformed("a control character in a string");
            }
        }
        at++;
        skipSpace();
        take(':');
        skipSpace();
        int id = readId();
        if (!vocabulary.end(id)) {
            throw new FormatException(file, at, field(), "the token occurs twice");
        }
        skipSpace();
    }

    private char readEscape() throws FormatException {
        char escape = (char) peek();
        at++;
        return switch (escape) {
            case '"', '\\', '/' -> escape;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int unit = 0;
                for (int i = 0; i < 4; i++, at++) {
                    int digit = Character.digit(peek(), 16);
                    if (digit < 0) {
                        throw malformed("an escape of four hexadecimal digits");
                    }
                    unit = unit << 4 | digit;
                }
                yield (char) unit;
            }
            default -> throw malformed("an escape that JSON does not have");
        };
    }

    /** A code point beyond ASCII. */
    private void readEncoded() throws FormatException {
        int codePoint = Utf8.codePoint(bytes, at, bytes.length);
        if (codePoint < 0) {
            throw new FormatException(file, at, "text", "not valid UTF-8");
        }
        at += Utf8.bytes(codePoint);
        if (codePoint < Character.MIN_SUPPLEMENTARY_CODE_POINT) {
            vocabulary.append((char) codePoint);
        } else {
            vocabulary.append(Character.highSurrogate(codePoint));
            vocabulary.append(Character.lowSurrogate(codePoint));
        }
    }

    private int readId() throws FormatException {
        int first = at;
        long id = 0;
        while (peek() >= '0' && peek() <= '9' && id <= Vocabulary.MAX_ID) {
            id = 10 * id + bytes[at++] - '0';
        }
        boolean leadingZero = at - first > 1 && bytes[first] == '0';
        if (at == first || leadingZero || id > Vocabulary.MAX_ID || !isEndOfValue(peek())) {
            while (at < bytes.length && !isEndOfValue(bytes[at])) {
                at++;
            }
            String value = new String(bytes, first, Math.min(at - first, 40), StandardCharsets.ISO_8859_1);
            throw new FormatException(
                    file, first, field(), "expected an id from 0 to " + Vocabulary.MAX_ID + ", got " + value);
        }
        return (int) id;
    }

    private static boolean isEndOfValue(int b) {
        return b == ',' || b == '}' || isSpace(b);
    }

    private static boolean isSpace(int b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    private void skipSpace() {
        while (at < bytes.length && isSpace(bytes[at])) {
            at++;
        }
    }

    private void take(char expected) throws FormatException {
        if (peek() != expected) {
            throw malformed("'" + expected + "' expected");
        }
        at++;
    }

    private int peek() throws FormatException {
        if (at >= bytes.length) {
            throw malformed("end of file");
        }
        return bytes[at];
    }

    private String field() {
        return "model.vocab." + vocabulary.token();
    }

    private FormatException malformed(String problem) {
        return new FormatException(file, at, "model.vocab", "not valid JSON: " + problem);
    }
}
