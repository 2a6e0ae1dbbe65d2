package dev.fovea.model;

import dev.fovea.model.grammar.CompiledFormat;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The formats that were made last, by their texts: each request to a server brings its own again, and to compile one takes
 * milliseconds. Safe to share between threads; two that ask for the same at once may both compile it.
 */
final class KnownFormats {
    static final int KEPT = 64;
    /** Formats of longer texts are made again. */
    private static final int MOST_CHARS = 1 << 16;

    private final Map<List<String>, SoftReference<OutputFormat>> formats = new LinkedHashMap<>(KEPT, 0.75f, true);

    OutputFormat get(String kind, List<String> source, Supplier<CompiledFormat> compile) {
        List<String> key = new ArrayList<>(source);
        key.addFirst(kind);
        synchronized (formats) {
            SoftReference<OutputFormat> known = formats.get(key);
            OutputFormat format = known == null ? null : known.get();
            if (format != null) {
                return format;
            }
        }
        var made = new OutputFormat(kind, source, compile.get());
        if (source.stream().mapToLong(String::length).sum() <= MOST_CHARS) {
            synchronized (formats) {
                formats.put(key, new SoftReference<>(made));
                if (formats.size() > KEPT) {
                    formats.remove(formats.keySet().iterator().next());
                }
            }
        }
        return made;
    }
}
