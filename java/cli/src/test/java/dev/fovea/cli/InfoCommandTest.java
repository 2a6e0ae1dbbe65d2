package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class InfoCommandTest {
    @Test
    void shouldSayWhatRunsHere() {
        String output = CliRun.of("info").output();
        for (String topic : new String[] {"version", "native", "  ISA", "  BLAS", "java", "vector", "JDK", "platform",
            "cache", "  models", "  native", "  tokenizers"}) {
            assertTrue(output.lines().anyMatch(line -> line.startsWith(topic + " ")), topic + " in\n" + output);
        }
    }

    @Test
    void shouldWriteJson() {
        JsonObject info = JsonParser.parseString(CliRun.of("info", "--json").output()).getAsJsonObject();
        JsonObject core = info.getAsJsonArray("backends").get(0).getAsJsonObject();
        assertEquals("native", core.get("name").getAsString());
        assertTrue(core.get("available").getAsBoolean());
        assertTrue(core.get("threads").getAsInt() >= 1);
        assertTrue(core.getAsJsonArray("availableIsas").contains(core.get("isa")));
        JsonObject vector = info.getAsJsonArray("backends").get(2).getAsJsonObject();
        assertEquals("vector", vector.get("name").getAsString());
        assertTrue(vector.get("reason").getAsString().contains("--add-modules jdk.incubator.vector"));
    }

    @Test
    void shouldNameTheBlas() {
        JsonArray backends = JsonParser.parseString(CliRun.of("info", "--json").output()).getAsJsonObject()
                .getAsJsonArray("backends");
        String blas = backends.get(0).getAsJsonObject().get("blas").getAsString();
        assertTrue(blas.contains("OpenBLAS 0."), blas);
        assertEquals("none", backends.get(1).getAsJsonObject().get("blas").getAsString());
        String output = CliRun.of("info").output();
        assertTrue(output.lines().anyMatch(line -> line.matches("  BLAS +" + Pattern.quote(blas))), output);
    }

    @Test
    void shouldListWhatIsCached() throws Exception {
        assertEquals(0, CliRun.of("similar", "a", "b").status());
        JsonObject cached = JsonParser.parseString(CliRun.of("info", "--json").output()).getAsJsonObject()
                .getAsJsonObject("cached");
        String output = CliRun.of("info").output();
        for (String part : new String[] {"models", "native", "tokenizers"}) {
            String entry = cached.getAsJsonArray(part).get(0).getAsString();
            assertTrue(Files.isDirectory(Path.of(System.getProperty("fovea.cache"), part, entry)), entry);
            assertTrue(output.lines().anyMatch(line -> line.startsWith("  " + part + " ") && line.contains(entry)),
                    output);
        }
    }
}
