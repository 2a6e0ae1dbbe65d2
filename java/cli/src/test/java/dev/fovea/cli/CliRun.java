package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a run of the command in this process left behind. */
record CliRun(int status, String out, String err) {
    /** Runs the command with nothing on standard input. */
    static CliRun of(String... args) {
        return withInput(new byte[0], args);
    }

    /** Runs the command with {@code input} on standard input. */
    static CliRun withInput(byte[] input, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(Streams.of(new ByteArrayInputStream(input), out, err), args);
        return new CliRun(status, out.toString(StandardCharsets.UTF_8), withoutNotices(err.toString(StandardCharsets.UTF_8)));
    }

    /** A machine that loads or unpacks slowly says so; tests are about what is said on all. */
    static String withoutNotices(String err) {
        return err.replaceAll("(?m)^(Loading|Unpacking) .* …\\R", "");
    }

    /** What it wrote, given that it succeeded in silence. */
    String output() {
        assertEquals("", err);
        assertEquals(0, status);
        return out;
    }

    /** The objects of the JSON Lines that it wrote, given that it succeeded in silence. */
    List<JsonObject> objects() {
        return output().lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
    }

    /** The one line of its error, without its prefix, given that it wrote only that and ended with {@code status}. */
    String error(int status) {
        assertEquals("", out);
        assertEquals(1, err.lines().count(), err);
        assertTrue(err.startsWith("fovea: ") && err.endsWith("\n"), err);
        assertEquals(status, this.status, err);
        return err.strip().substring("fovea: ".length());
    }
}
