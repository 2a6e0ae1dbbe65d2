package dev.fovea.internal.text;

/** A vocabulary as an object of JSON, in ASCII: its tokens and their ids. */
public final class VocabularyJson {
    private static final String HEX = "0123456789abcdef";

    private VocabularyJson() {}

    /** Writes all tokens, in the order of the file. */
    public static String of(Vocabulary vocabulary) {
        StringBuilder json = new StringBuilder(20 * vocabulary.size()).append('{');
        for (int i = 0; i < vocabulary.size(); i++) {
            json.append(i == 0 ? "\"" : ",\"");
            String token = vocabulary.token(i);
            for (int at = 0; at < token.length(); at++) {
                spell(token.charAt(at), json);
            }
            json.append("\":").append(vocabulary.idAt(i));
        }
        return json.append('}').toString();
    }

    private static void spell(char c, StringBuilder to) {
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
            to.append(c);
            return;
        }
        to.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            to.append(HEX.charAt(c >> shift & 0xf));
        }
    }
}
