package dev.fovea.cli;

import dev.fovea.model.OutputFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** The options that say what an answer must look like, one at most. */
final class FormatArguments {
    @Option(names = "--json-schema", paramLabel = "FILE", description = "Write JSON that is valid by the schema in FILE.")
    private Path schema;

    @Option(names = "--regex", paramLabel = "REGEX", description = "Write a text that REGEX matches as a whole.")
    private String regex;

    @Option(names = "--choice", paramLabel = "TEXT", description = "Write one of these texts; several times.")
    private List<String> choices;

    @Option(names = "--grammar", paramLabel = "FILE", description = "Write a text by the grammar in FILE, in llama.cpp's GBNF.")
    private Path grammar;

    /** What makes the format, or null of what was not asked for; reads the file. */
    Supplier<OutputFormat> read() throws IOException {
        if (schema != null) {
            String text = Files.readString(schema);
            return () -> OutputFormat.jsonSchema(text);
        }
        if (grammar != null) {
            String text = Files.readString(grammar);
            return () -> OutputFormat.grammar(text);
        }
        return () -> regex != null ? OutputFormat.regex(regex)
                : choices != null ? OutputFormat.choice(choices.toArray(String[]::new)) : null;
    }
}
