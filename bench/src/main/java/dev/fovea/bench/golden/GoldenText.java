package dev.fovea.bench.golden;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One text of {@code texts.jsonl}, a line of which is {@code {"name":…, "text":…, "times":…}}.
 *
 * @param name what the vector files call it
 * @param text the text, or what it repeats
 * @param times how often it repeats; absent for once
 */
record GoldenText(String name, String text, int times) {
    private static final Gson GSON = new Gson();

    /** All texts of a file. */
    static List<GoldenText> read(Path file) {
        try (var lines = Files.lines(file)) {
            return lines.map(line -> GSON.fromJson(line, GoldenText.class)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The whole text. */
    String whole() {
        return text.repeat(Math.max(1, times));
    }
}
