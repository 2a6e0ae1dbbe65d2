package dev.fovea.internal.text;

/** Characters of scripts, by the JDK's tables. */
final class Scripts {
    private Scripts() {}

    /** Adds all characters of a script. */
    static void add(CharacterSet.Builder set, Character.UnicodeScript script) {
        int begin = -1;
        for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
            boolean in = c <= Character.MAX_CODE_POINT && Character.UnicodeScript.of(c) == script;
            if (in && begin < 0) {
                begin = c;
            } else if (!in && begin >= 0) {
                set.range(begin, c - 1);
                begin = -1;
            }
        }
    }
}
