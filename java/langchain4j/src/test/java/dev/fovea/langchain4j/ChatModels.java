package dev.fovea.langchain4j;

import dev.fovea.model.ChatMessage;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.testing.ToyLanguageModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The language model of the chat suites: it knows what they ask for, and says all of it each time. */
final class ChatModels {
    static final String NAME = "toy";

    private static final String WEATHER = "<tool_call>\n{\"name\": \"getWeather\", \"arguments\": {\"city\": \"Munich\"}}\n</tool_call>";

    /** Its prompts end with the names of tools that are still to be called, or else with {@code <assistant>}. */
    private static final String TEMPLATE = """
            {# <tool_call> </think> #}
            {%- for message in messages %}{{ message['content'] + ' ' }}{% endfor %}
            {%- if tools and messages[-1]['role'] != 'tool' %}
                {%- for tool in tools %}{{ tool['function']['name'] + '+' }}{% endfor %}
            {%- else %}{{ 'thinks' if enable_thinking else '<assistant>' }}{% endif %}
            {{- ' ' }}""";

    private static final List<List<String>> ANSWERS = List.of(
            // What JSON may begin with: the first one that fits is taken.
            List.of("json", "{\"city\": \"Berlin\"}"),
            List.of("{\"weather\":", " \"sunny\"}"),
            List.of("<tool_call>", "{\"name\": \"getWeather\", \"arguments\": {\"city\": \"Munich\"}}\n</tool_call>"),
            List.of("getWeather+", WEATHER),
            List.of("getWeather+getTime+", WEATHER + "<tool_call>{\"name\": \"getTime\", \"arguments\": {\"country\": \"France\"}}"
                    + "</tool_call>"),
            List.of("get_current_time+", "<tool_call>{\"name\": \"get_current_time\", \"arguments\": {}}</tool_call>"),
            List.of("add+", "I", " see:", " <tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 2, \"b\": [1.5]}}</tool_call>"),
            List.of("thinks", "<think>", "\n", "hm", " well", "\n</think>\n\n", "Gladly"),
            chain("<assistant>", "Hello World , green : ich liebe dich . Berlin is the capital of Germany sunny at 10:14 and 14:35"));

    private static List<String> chain(String begin, String answer) {
        List<String> words = new ArrayList<>(List.of(begin));
        for (String word : answer.split(" ")) {
            words.add(words.size() == 1 ? word : " " + word);
        }
        return words;
    }

    static final TextGenerator GENERATOR = load();

    private ChatModels() {}

    private static TextGenerator load() {
        try {
            Path directory = Files.createTempDirectory("fovea");
            try {
                TextGenerator generator = TextGenerator.load(ToyLanguageModel.write(directory.resolve(NAME), TEMPLATE, ANSWERS));
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
