package dev.fovea.text;

/**
 * Numbers as the library's JSON parser reads them: the digits as an integer, then one multiplication or division by a power
 * of ten. That is not always the double next to the number; but ways of equal scores part by the last bit.
 */
final class Scores {
    private static final int MAX_POWER = 308;
    private static final double[] POWERS = new double[MAX_POWER + 1];

    static {
        for (int i = 0; i <= MAX_POWER; i++) {
            POWERS[i] = Double.parseDouble("1e" + i);
        }
    }

    private Scores() {}

    /** The value of a number of JSON; infinite if it is too large. */
    static double parse(String number) {
        boolean negative = number.startsWith("-");
        int at = negative ? 1 : 0;
        long digits = 0; // unsigned
        int exponent = 0;
        boolean fraction = false;
        boolean full = false;
        for (; at < number.length() && (number.charAt(at) | 0x20) != 'e'; at++) {
            char c = number.charAt(at);
            if (c == '.') {
                fraction = true;
                continue;
            }
            full = full || overflows(digits, c - '0');
            if (!full) {
                digits = 10 * digits + c - '0';
                exponent -= fraction ? 1 : 0;
            } else {
                exponent += fraction ? 0 : 1;
            }
        }
        boolean integer = !fraction && at == number.length() && exponent == 0;
        if (at < number.length()) {
            exponent = saturated(exponent, number.substring(at + 1));
        }
        double value = integer ? unsigned(digits) : scaled(unsigned(digits), exponent);
        return negative ? -value : value;
    }

    private static boolean overflows(long digits, int next) {
        long tenth = Long.divideUnsigned(-1L, 10);
        int order = Long.compareUnsigned(digits, tenth);
        return order > 0 || order == 0 && next > Long.remainderUnsigned(-1L, 10);
    }

    private static double unsigned(long value) {
        return value >= 0 ? value : ((value >>> 1 | value & 1) * 2.0);
    }

    private static int saturated(int exponent, String power) {
        double sum = exponent + Double.parseDouble(power);
        return (int) Math.max(-1_000_000, Math.min(1_000_000, sum));
    }

    private static double scaled(double digits, int exponent) {
        double value = digits;
        int left = exponent;
        while (left < -MAX_POWER && value != 0) {
            value /= POWERS[MAX_POWER];
            left += MAX_POWER;
        }
        if (value == 0) {
            return value;
        }
        if (left > MAX_POWER) {
            return Double.POSITIVE_INFINITY;
        }
        return left >= 0 ? value * POWERS[left] : value / POWERS[-left];
    }
}
