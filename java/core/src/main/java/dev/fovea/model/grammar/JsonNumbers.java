package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.EMPTY;
import static dev.fovea.model.grammar.Expression.characters;
import static dev.fovea.model.grammar.Expression.choice;
import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import dev.fovea.model.grammar.Expression.Both;
import dev.fovea.model.grammar.Expression.Choice;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/** Numbers between bounds, as JSON spells them: digit by digit. */
final class JsonNumbers {
    /** What a number has of digits on each side of its point, where bounds do not ask for more. */
    private static final int DIGITS = 15;
    private static final int MOST_DIGITS = 100;
    private static final Expression DIGIT = characters('0', '9');
    private static final Expression NEVER = new Choice(List.of());
    private static final Expression FRACTION = sequence(literal("."), DIGIT.times(1, DIGITS));

    /**
     * From one value to another.
     *
     * @param least null if there is none, as of {@code most}
     * @param above whether {@code least} itself is out
     * @param below whether {@code most} itself is out
     */
    record Bounds(BigDecimal least, boolean above, BigDecimal most, boolean below) {
        static final Bounds NONE = new Bounds(null, false, null, false);

        Bounds {
            requireFew(least);
            requireFew(most);
        }

        private static void requireFew(BigDecimal bound) {
            if (bound != null && (Math.abs((long) bound.scale()) > MOST_DIGITS || bound.precision() > MOST_DIGITS)) {
                throw new IllegalArgumentException("expected bounds of at most " + MOST_DIGITS + " digits, got " + bound);
            }
        }
    }

    private JsonNumbers() {}

    /** Whole numbers. */
    static Expression integers(Bounds bounds) {
        BigInteger least = null;
        BigInteger most = null;
        if (bounds.least() != null) {
            BigInteger floor = bounds.least().setScale(0, RoundingMode.FLOOR).toBigInteger();
            boolean isBound = bounds.least().compareTo(new BigDecimal(floor)) == 0;
            least = isBound && !bounds.above() ? floor : floor.add(BigInteger.ONE);
        }
        if (bounds.most() != null) {
            BigInteger ceiling = bounds.most().setScale(0, RoundingMode.CEILING).toBigInteger();
            boolean isBound = bounds.most().compareTo(new BigDecimal(ceiling)) == 0;
            most = isBound && !bounds.below() ? ceiling : ceiling.subtract(BigInteger.ONE);
        }
        int digits = DIGITS + 3;
        BigInteger limit = BigInteger.TEN.pow(Math.max(digits, 1 + Math.max(length(least), length(most)))).subtract(BigInteger.ONE);
        return integers(least == null ? limit.negate() : least, most == null ? limit : most);
    }

    private static int length(BigInteger number) {
        return number == null ? 0 : number.abs().toString().length();
    }

    private static Expression integers(BigInteger least, BigInteger most) {
        List<Expression> parts = new ArrayList<>();
        if (most.signum() >= 0) {
            parts.add(naturals(least.max(BigInteger.ZERO), most));
        }
        if (least.signum() < 0) {
            parts.add(sequence(literal("-"), naturals(most.negate().max(BigInteger.ONE), least.negate())));
        }
        return new Choice(parts);
    }

    /** From one to another, neither negative. */
    private static Expression naturals(BigInteger least, BigInteger most) {
        if (least.compareTo(most) > 0) {
            return NEVER;
        }
        String from = least.toString();
        String to = most.toString();
        List<Expression> parts = new ArrayList<>();
        for (int length = from.length(); length <= to.length(); length++) {
            String first = length == from.length() ? from : "1" + "0".repeat(length - 1);
            String last = length == to.length() ? to : "9".repeat(length);
            parts.add(between(first, last, 0));
        }
        return new Choice(parts);
    }

    /** Digits of the same number. */
    private static Expression between(String first, String last, int at) {
        int left = first.length() - at;
        if (left == 0) {
            return EMPTY;
        }
        boolean free = first.substring(at).chars().allMatch(c -> c == '0') && last.substring(at).chars().allMatch(c -> c == '9');
        if (free) {
            return DIGIT.times(left, left);
        }
        char low = first.charAt(at);
        char high = last.charAt(at);
        if (low == high) {
            return sequence(digit(low, high), between(first, last, at + 1));
        }
        List<Expression> parts = new ArrayList<>();
        String rest = first.substring(0, at + 1);
        parts.add(sequence(digit(low, low), between(first, rest + "9".repeat(left - 1), at + 1)));
        if (low + 1 < high) {
            parts.add(sequence(digit((char) (low + 1), (char) (high - 1)), DIGIT.times(left - 1, left - 1)));
        }
        parts.add(sequence(digit(high, high), between(rest.substring(0, at) + high + "0".repeat(left - 1), last, at + 1)));
        return new Choice(parts);
    }

    private static Expression digit(char first, char last) {
        return characters(first, last);
    }

    /** Numbers with a fraction or without; with an exponent, if nothing bounds them. */
    static Expression numbers(Bounds bounds) {
        if (bounds.least() == null && bounds.most() == null) {
            Expression whole = choice(literal("0"), sequence(characters('1', '9'), DIGIT.times(0, DIGITS)));
            Expression exponent = sequence(characters("eE"), characters("+-").optional(), DIGIT.times(1, 2));
            return sequence(literal("-").optional(), whole, FRACTION.optional(), exponent.optional());
        }
        List<Expression> parts = new ArrayList<>();
        BigDecimal least = bounds.least();
        BigDecimal most = bounds.most();
        if (most == null || most.signum() >= 0) {
            boolean positive = least != null && least.signum() >= 0;
            parts.add(magnitudes(positive ? least : BigDecimal.ZERO, positive && bounds.above(), most, bounds.below()));
        }
        if (least == null || least.signum() < 0) {
            boolean negative = most != null && most.signum() < 0;
            parts.add(sequence(literal("-"), magnitudes(negative ? most.negate() : BigDecimal.ZERO, !negative || bounds.below(),
                    least == null ? null : least.negate(), bounds.above())));
        }
        return new Choice(parts);
    }

    /** From one to another, neither negative. */
    private static Expression magnitudes(BigDecimal least, boolean above, BigDecimal most, boolean below) {
        BigInteger low = least.toBigInteger();
        BigInteger limit = BigInteger.TEN.pow(Math.max(DIGITS, length(low) + 1));
        BigInteger high = most == null ? limit : most.toBigInteger();
        Expression from = fractionFrom(fraction(least), above);
        Expression to = most == null ? NEVER : fractionTo(fraction(most), below);
        if (low.compareTo(high) > 0) {
            return NEVER;
        }
        if (low.equals(high)) {
            return sequence(literal(low.toString()), new Both(from, to));
        }
        return choice(sequence(literal(low.toString()), from),
                sequence(naturals(low.add(BigInteger.ONE), high.subtract(BigInteger.ONE)), FRACTION.optional()),
                sequence(literal(high.toString()), to));
    }

    /** The digits behind the point, without zeros at the end. */
    private static String fraction(BigDecimal number) {
        String digits = number.subtract(new BigDecimal(number.toBigInteger())).toPlainString();
        return digits.contains(".") ? digits.substring(digits.indexOf('.') + 1).replaceFirst("0+$", "") : "";
    }

    private static Expression fractionFrom(String digits, boolean above) {
        if (digits.isEmpty()) {
            return above ? sequence(literal("."), notZero()) : FRACTION.optional();
        }
        return sequence(literal("."), from(digits, 0, above));
    }

    private static Expression notZero() {
        return sequence(literal("0").times(0, DIGITS - 1), characters('1', '9'), DIGIT.times(0, DIGITS - 1));
    }

    private static Expression from(String digits, int at, boolean above) {
        if (at == digits.length()) {
            return above ? notZero() : DIGIT.times(0, DIGITS);
        }
        char digit = digits.charAt(at);
        Expression same = sequence(digit(digit, digit), from(digits, at + 1, above));
        return digit == '9' ? same : choice(same, sequence(digit((char) (digit + 1), '9'), DIGIT.times(0, DIGITS)));
    }

    private static Expression fractionTo(String digits, boolean below) {
        if (digits.isEmpty()) {
            return below ? NEVER : sequence(literal("."), literal("0").times(1, DIGITS)).optional();
        }
        return sequence(literal("."), to(digits, 0, below)).optional();
    }

    /** What is less may end before the digits do, but not at the point. */
    private static Expression to(String digits, int at, boolean below) {
        if (at == digits.length()) {
            return below ? NEVER : literal("0").times(0, DIGITS);
        }
        char digit = digits.charAt(at);
        List<Expression> parts = new ArrayList<>();
        parts.add(sequence(digit(digit, digit), to(digits, at + 1, below)));
        if (digit > '0') {
            parts.add(sequence(digit('0', (char) (digit - 1)), DIGIT.times(0, DIGITS)));
        }
        if (at > 0) {
            parts.add(EMPTY);
        }
        return new Choice(parts);
    }
}
