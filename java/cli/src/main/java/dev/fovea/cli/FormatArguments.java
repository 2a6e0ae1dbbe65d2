package dev.fovea.cli;

import dev.fovea.model.OutputFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
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
            String text = read(schema);
            return () -> named(schema, () -> OutputFormat.jsonSchema(text));
        }
        if (grammar != null) {
            String text = read(grammar);
            return () -> named(grammar, () -> OutputFormat.grammar(text));
        }
        return () -> regex != null ? OutputFormat.regex(regex)
                : choices != null ? OutputFormat.choice(choices.toArray(String[]::new)) : null;
    }

    private static OutputFormat named(Path file, Supplier<OutputFormat> format) {
        try {
            return format.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private static String read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileSystemException(file.toString(), null, "Is a directory");
        }
        byte[] bytes = Files.readAllBytes(file);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IOException("expected UTF-8 in " + file, e);
        }
    }
}
