package dev.fovea.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransformerExampleTest {
    @Test
    void shouldPrintTokensAndRowsThatSumToOne() {
        var bytes = new ByteArrayOutputStream();
        TransformerExample.run(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        long streamed = lines.stream().filter(line -> line.startsWith("  source 0: ")).count();
        int title = lines.indexOf("What each token of target 0 takes from source 0 in layer 1, head 2");
        assertTrue(streamed > 0, lines::toString);
        assertEquals(streamed + 1, lines.size() - title - 1);
        for (String row : lines.subList(title + 1, lines.size())) {
            String[] cells = row.strip().split("\\s+");
            assertEquals(4, cells.length);
            assertEquals(1, Arrays.stream(cells).skip(1).mapToDouble(Double::parseDouble).sum(), 0.016);
        }
    }
}
