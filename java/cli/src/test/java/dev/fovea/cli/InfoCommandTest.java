package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

class InfoCommandTest {
    @Test
    void shouldSayWhatRunsHere() {
        String output = CliRun.of("info").output();
        for (String topic : new String[] {"version", "native", "  ISA", "java", "JDK", "platform", "cache"}) {
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
    }
}
