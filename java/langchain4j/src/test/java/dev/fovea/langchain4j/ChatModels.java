package dev.fovea.langchain4j;

import dev.fovea.model.ChatMessage;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.testing.ToyLanguageModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** The language model of the chat suites: it knows what they ask for, and says all of it each time. */
final class ChatModels {
    static final String NAME = "toy";

    static final TextGenerator GENERATOR = load();

    private ChatModels() {}

    private static TextGenerator load() {
        try {
            Path directory = Files.createTempDirectory("fovea");
            try {
                TextGenerator generator = TextGenerator.load(ToyLanguageModel.write(directory.resolve(NAME),
                        "Hello World , green : ich liebe dich . Berlin is the capital of Germany"));
                // Templates take their time at first; suites wait for 5 s.
                generator.chat(List.of(ChatMessage.user("Hello")), SamplingOptions.greedy());
                return generator;
            } finally {
                try (var files = Files.walk(directory)) {
                    files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A language model that is closed. */
    static TextGenerator closed(Path directory) {
        try {
            TextGenerator generator = TextGenerator.load(ToyLanguageModel.write(directory, "a b"));
            generator.close();
            return generator;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
