package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The marks of an axis.
 *
 * @param breaks where they stand
 */
record Axis(List<Double> breaks) {
    private static final double[] STEPS = {1, 2, 5};

    /** A logarithmic axis of measured points, with marks at as many of {@code values} as there is room for. */
    static Axis of(List<Double> values, int room) {
        List<Double> distinct = List.copyOf(new TreeSet<>(values));
        int step = Math.max(1, (distinct.size() + room - 1) / room);
        List<Double> breaks = new ArrayList<>();
        double last = 0;
        for (int i = 0; i < distinct.size(); i += step) {
            // Neighbours that lie close would write over each other.
            if (last == 0 || distinct.get(i) / last > Math.pow(distinct.getLast() / distinct.getFirst(), 0.8 / room)) {
                breaks.add(distinct.get(i));
                last = distinct.get(i);
            }
        }
        return new Axis(breaks);
    }

    /** A logarithmic axis with marks at powers of ten, or at their 2nd and 5th part too where those are few. */
    static Axis decades(double least, double greatest) {
        double from = decadeBelow(least);
        int decades = (int) Math.ceil(Math.log10(greatest / from) - 1e-9);
        List<Double> breaks = new ArrayList<>();
        int every = (decades + 7) / 8;
        for (int i = 0; i <= decades; i += every) {
            for (double step : STEPS) {
                if (step == 1 || decades <= 2) {
                    breaks.add(step * from * Math.pow(10, i));
                }
            }
        }
        return new Axis(breaks);
    }

    /** The greatest power of ten that is less than {@code value}. */
    static double decadeBelow(double value) {
        return value > 0 ? Math.pow(10, Math.ceil(Math.log10(value)) - 1) : 1e-3;
    }

    /** An axis from 0 with marks at round figures, at most {@code room} of them above 0. */
    static Axis linear(double greatest, int room) {
        double step = decadeBelow(greatest / room);
        for (int i = 1; greatest / step > room; i++) {
            step = STEPS[i % STEPS.length] * decadeBelow(greatest / room) * (i < STEPS.length ? 1 : 10);
        }
        List<Double> breaks = new ArrayList<>();
        for (int i = 0; i * step <= greatest; i++) {
            breaks.add(i * step);
        }
        return new Axis(breaks);
    }

    void marks(Map<String, Object> scale, boolean logarithmic) {
        if (logarithmic) {
            scale.put("trans", "log10");
        }
        scale.put("breaks", breaks);
        scale.put("labels", breaks.stream().map(Numbers::mark).toList());
    }
}
