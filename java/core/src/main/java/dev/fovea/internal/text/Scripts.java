package dev.fovea.internal.text;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Characters of scripts, by the JDK's tables. */
final class Scripts {
    /** A pattern may ask often, and each set takes a pass over all code points. */
    private static final Map<Character.UnicodeScript, CharacterSet> SETS = new ConcurrentHashMap<>();

    private Scripts() {}

    /** All characters of a script. */
    static CharacterSet of(Character.UnicodeScript script) {
        return SETS.computeIfAbsent(script, Scripts::find);
    }

    private static CharacterSet find(Character.UnicodeScript script) {
        CharacterSet.Builder set = new CharacterSet.Builder();
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
        return set.build(false);
    }
}
