package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The marks of an axis.
 *
 * @param breaks where marks stand; empty where the library may choose
 */
record Axis(List<Double> breaks, boolean logarithmic) {
    private static final double[] STEPS = {1, 2, 5};

    /** An axis of measured points, with marks at as many of {@code values} as there is room for. */
    static Axis of(List<Double> values, boolean logarithmic, int room) {
        if (!logarithmic) {
            return new Axis(List.of(), false);
        }
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
        return new Axis(breaks, true);
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
        return new Axis(breaks, true);
    }

    /** The greatest power of ten that is less than {@code value}. */
    static double decadeBelow(double value) {
        return value > 0 ? Math.pow(10, Math.ceil(Math.log10(value)) - 1) : 1e-3;
    }

    void marks(Map<String, Object> scale) {
        if (logarithmic) {
            scale.put("trans", "log10");
            scale.put("breaks", breaks);
            scale.put("labels", breaks.stream().map(Numbers::mark).toList());
        }
    }
}
