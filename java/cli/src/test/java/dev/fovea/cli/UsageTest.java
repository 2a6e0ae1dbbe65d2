package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "similar", "embed", "rerank", "classify", "tag", "attend",
            "generate", "chat", "serve", "models", "models pull", "models show", "info"})
    void shouldHelpEverywhere(String command) {
        String[] args = (command + " --help").strip().split(" ");
        String help = CliRun.of(args).output();
        assertTrue(help.startsWith("Usage: fovea"), help);
        assertTrue(help.contains("Exit status:"), help);
    }

    @Test
    void shouldShowHelpWithoutACommand() {
        assertEquals(CliRun.of("--help").output(), CliRun.of().output());
    }

    @Test
    void shouldPrintTheVersion() {
        assertTrue(CliRun.of("--version").output().matches("fovea \\d+\\.\\d+\\.\\d+\\S*\n"));
    }

    static Stream<Arguments> wrongUses() {
        return Stream.of(
                wrong("no such command: frob (see 'fovea --help')", "frob"),
                wrong("no such command: frob (see 'fovea models --help')", "models", "frob"),
                wrong("unknown option: '--bogus'; put texts that begin with - after -- (see 'fovea embed --help')",
                        "embed", "--bogus", "a"),
                wrong("missing required parameters: 'QUERY', 'TEXT' (see 'fovea similar --help')", "similar"),
                wrong("missing required parameter: 'TEXT' (see 'fovea similar --help')", "similar", "a"),
                wrong("missing required parameter: 'NAME' (see 'fovea models pull --help')", "models", "pull"),
                wrong("unmatched argument at index 3: 'b' (see 'fovea models pull --help')",
                        "models", "pull", "a", "b"),
                wrong("nothing to embed: give TEXT… or --input FILE|- (see 'fovea embed --help')", "embed"),
                wrong("give either TEXT… or --input, got --input b and 1 TEXT (see 'fovea embed --help')",
                        "embed", "a", "--input", "b"),
                wrong("missing required option: '--model=DIR' (see 'fovea tag --help')", "tag", "a"),
                wrong("give either --sparse or --tokens, got both (see 'fovea embed --help')", "embed", "--sparse",
                        "--tokens", "a"),
                wrong("--sparse needs --model DIR, of a SPLADE model (see 'fovea embed --help')", "embed", "--sparse", "a"),
                wrong("--tokens needs --model DIR, of a ColBERT model (see 'fovea embed --help')", "embed", "--tokens", "a"),
                wrong("--tokens writes JSON Lines to standard output alone (see 'fovea embed --help')", "embed",
                        "--tokens", "--output", "b", "a"),
                wrong("--format npy needs --output FILE (see 'fovea embed --help')", "embed", "--format", "npy", "a"),
                wrong("invalid value for option '--format': expected jsonl or npy, got 'csv'"
                        + " (see 'fovea embed --help')", "embed", "--format", "csv", "a"),
                wrong("invalid value for option '--backend': expected native, java, vector, cuda or auto, got 'gpu'"
                        + " (see 'fovea similar --help')", "similar", "--backend", "gpu", "a", "b"),
                wrong("invalid value for option '--on-long': expected truncate, error or chunk-mean, got 'drop'"
                        + " (see 'fovea embed --help')", "embed", "--on-long", "drop", "a"),
                wrong("invalid value for option '--threads': 'two' is not an int (see 'fovea embed --help')",
                        "embed", "--threads", "two", "a"),
                wrong("invalid value for option '--weights': expected f32, bf16, f16, int8, stored, q8_0, q4_0, q4_1, q5_0,"
                        + " q5_1, iq4_nl, q2_k, q3_k, q4_k, q5_k or q6_k, got 'fp16' (see 'fovea embed --help')",
                        "embed", "--weights", "fp16", "a"),
                wrong("--threads must be 1 to 1024, got 0 (see 'fovea embed --help')", "embed", "--threads", "0", "a"),
                wrong("--threads must be 1 to 1024, got -1 (see 'fovea embed --help')",
                        "embed", "--threads", "-1", "a"),
                wrong("--threads must be 1 to 1024, got 1025 (see 'fovea similar --help')",
                        "similar", "--threads", "1025", "a", "b"),
                wrong("missing required parameter for option '--output' (FILE) (see 'fovea embed --help')",
                        "embed", "a", "--output"),
                wrong("option '--model' (NAME|DIR) should be specified only once (see 'fovea embed --help')",
                        "embed", "a", "--model", "b", "--model", "c"),
                wrong("missing required parameter: 'TEXT' (see 'fovea attend --help')", "attend"),
                wrong("expected one TEXT, got 2: the models read each text on its own;"
                        + " put a text of several words in quotes (see 'fovea attend --help')", "attend", "a", "b"),
                wrong("--out must end in .html, .svg, .png or .json, got map.gif (see 'fovea attend --help')",
                        "attend", "a", "--out", "map.gif"),
                wrong("invalid value for option '--layer': expected a number of at least 1, or mean, got '0'"
                        + " (see 'fovea attend --help')", "attend", "a", "--layer", "0"),
                wrong("invalid value for option '--head': expected a number of at least 1, or mean, got 'all'"
                        + " (see 'fovea attend --help')", "attend", "a", "--head", "all"),
                wrong("unknown option: '--on-long'; put texts that begin with - after -- (see 'fovea attend --help')",
                        "attend", "a", "--on-long", "truncate"),
                wrong("unmatched argument at index 1: 'now' (see 'fovea info --help')", "info", "now"));
    }

    private static Arguments wrong(String message, String... args) {
        return Arguments.of(message, args);
    }

    @ParameterizedTest
    @MethodSource("wrongUses")
    void shouldExplainWrongUseInOneLine(String message, String[] args) {
        assertEquals(message, CliRun.of(args).error(2));
    }

    @Test
    void shouldShowTheTraceOnlyWhenVerbose() {
        String[] args = {"embed", "--input", "no/such/file"};
        assertEquals("no such file or directory: no/such/file", CliRun.of(args).error(1));
        CliRun verbose = CliRun.of("embed", "--input", "no/such/file", "--verbose");
        assertEquals(1, verbose.status());
        assertTrue(verbose.err().startsWith("fovea: no such file or directory: no/such/file\n"), verbose.err());
        assertTrue(verbose.err().contains("\tat dev.fovea.cli."), verbose.err());
    }
}
