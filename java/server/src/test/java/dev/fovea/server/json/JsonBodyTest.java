package dev.fovea.server.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Numbers that a double would change. */
class JsonBodyTest {
    private static JsonBody body(String number) {
        return JsonBody.parse(("{\"n\": " + number + "}").getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldTakeWholeNumbersAlone() {
        for (String number : new String[] {"3", "3.0", "30e-1", "0.3e1"}) {
            assertEquals(3, body(number).integer("n", 0, 1, 9));
        }
        assertEquals(Long.MAX_VALUE, body("9223372036854775807").integer("n", 0, Long.MIN_VALUE, Long.MAX_VALUE));
        for (String number : new String[] {"0.99999999999999999999", "3.00000000000000000001", "9223372036854775808", "1e-400", "1e-99999999999",
            "1e300", "-1", "10"}) {
            var e = assertThrows(ApiException.class, () -> body(number).integer("n", 0, 1, number.length() > 2 ? Long.MAX_VALUE : 9));
            assertEquals("n to be a whole number", e.getMessage().substring("expected ".length(), "expected n to be a whole number".length()));
        }
    }

    @Test
    void shouldKeepTheDigitsOfWholeNumbers() {
        assertEquals(Map.of("n", 7L), body("7.0").plain());
        assertEquals(Map.of("n", new BigInteger("1234567890123456789")), body("1234567890123456789").plain());
        assertEquals(Map.of("n", 1.5e20), body("1.5e20").plain());
        var e = assertThrows(ApiException.class, () -> body("1e400").plain());
        assertEquals("expected numbers up to 1.8e308 of at most 64 characters, got 1e400", e.getMessage());
    }
}
