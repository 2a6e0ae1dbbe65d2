package dev.fovea.model.grammar;

import dev.fovea.model.grammar.Expression.Both;
import dev.fovea.model.grammar.Expression.Characters;
import java.util.Map;
import java.util.TreeMap;

/** What schemas say about strings. */
final class SchemaStrings {
    private static final String DAY = "(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
            + "|\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))";
    private static final String TIME = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|(\\+0\\d|-0[1-9]|[+-]1[0-7]):[0-5]\\d)";
    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?";
    private static final String HOST = LABEL + "(\\." + LABEL + "){0,6}\\.[A-Za-z]{2,12}";
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String HEX = "[0-9a-fA-F]";
    private static final String ATOM = "[A-Za-z0-9_]([A-Za-z0-9_+-]{0,12}[A-Za-z0-9_])?";

    /** Texts of each format, if not all: years have four digits, and mail goes to named hosts. */
    private static final Map<String, String> FORMATS = new TreeMap<>(Map.of(
            "date", DAY,
            "time", TIME,
            "date-time", "(" + DAY + ")T" + TIME,
            "uuid", HEX + "{8}(-" + HEX + "{4}){3}-" + HEX + "{12}",
            "email", ATOM + "(\\." + ATOM + "){0,3}@" + HOST,
            "hostname", HOST,
            "ipv4", BYTE + "(\\." + BYTE + "){3}",
            "ipv6", HEX + "{1,4}(:" + HEX + "{1,4}){7}",
            "uri", "(https?|ftp)://" + HOST + "(:[1-9]\\d{0,3})?(/[A-Za-z0-9._~-]{0,60}){0,8}(\\?[A-Za-z0-9._~=&-]{0,80})?"
                    + "(#[A-Za-z0-9._~-]{0,40})?"));

    private SchemaStrings() {}

    /**
     * Strings, quotes around them.
     *
     * @param most −1 for any number
     * @param pattern null for none, as {@code format}
     * @throws IllegalArgumentException if the format is not supported; the message names it
     */
    static Expression of(int least, int most, String pattern, String format) {
        Expression all = new Characters(CodePoints.ALL);
        Expression found = least > 0 || most >= 0 ? all.times(least, most) : null;
        if (pattern != null) {
            found = both(found, RegexReader.within(pattern, all.times(0, -1)));
        }
        if (format != null) {
            if (!FORMATS.containsKey(format)) {
                throw new IllegalArgumentException("'" + format + "' is not supported, but " + String.join(", ", FORMATS.keySet()));
            }
            found = both(found, RegexReader.whole(FORMATS.get(format)));
        }
        return JsonText.string(found == null ? all.times(0, -1) : found);
    }

    private static Expression both(Expression one, Expression other) {
        return one == null ? other : new Both(one, other);
    }
}
