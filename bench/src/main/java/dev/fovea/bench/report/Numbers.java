package dev.fovea.bench.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/** Figures as people read them. */
final class Numbers {
    /** Between groups of three digits: narrow, and no place to break a line. */
    private static final String GROUP = "\u202f";

    private Numbers() {}

    /** Three significant digits, or a whole number of more: {@code 12 345}, {@code 12.3}, {@code 0.0120}. */
    static String format(double value) {
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        if (Math.abs(value) >= 100) {
            return String.format(Locale.ROOT, "%,d", Math.round(value)).replace(",", GROUP);
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(3));
        return rounded.signum() == 0 ? "0" : rounded.toPlainString();
    }

    /** As {@link #format}, without zeros behind the point, for the marks of an axis. */
    static String mark(double value) {
        String text = format(value);
        return text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
    }

    static double min(List<Double> samples) {
        return samples.stream().min(Double::compare).orElseThrow();
    }

    static double max(List<Double> samples) {
        return samples.stream().max(Double::compare).orElseThrow();
    }
}
