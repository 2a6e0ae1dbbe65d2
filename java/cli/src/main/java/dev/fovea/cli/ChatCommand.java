package dev.fovea.cli;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import sun.misc.Signal;

/** {@code fovea chat}: talks with a language model. */
@Command(name = "chat", description = "Talk with a language model: a line is a message. /help shows what else there is;"
        + " Ctrl-C stops the answer.")
final class ChatCommand implements Callable<Integer> {
    private static final String HELP = """
            /clear        begin anew
            /system TEXT  begin anew, and tell the model TEXT first
            /again        answer the last message again
            /exit         end, as the end of the input does
            """;

    private final Streams streams;
    private final List<ChatMessage> messages = new ArrayList<>();
    private final AtomicBoolean stopped = new AtomicBoolean();

    @Mixin
    private GeneratorArguments arguments;

    @Option(names = "--system", paramLabel = "TEXT", description = "Tell the model TEXT first.")
    private String system;

    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "A directory in the Hugging Face layout or a .gguf file"
            + " (default: " + DemonstrationModel.NAME + ", a very small model for trying this out).")
    private Path model;

    private SamplingOptions sampling;

    ChatCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        sampling = arguments.sampling();
        try (TextGenerator generator = arguments.load(model, streams.err())) {
            requireChats(generator);
            var in = new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
            begin(system);
            while (true) {
                String line = ask(in);
                if (line == null) {
                    streams.print("\n"); // what comes next does not stand behind the prompt
                    break;
                } else if (line.equals("/exit")) {
                    break;
                } else if (line.startsWith("/")) {
                    command(line, generator);
                } else if (!line.isBlank()) {
                    messages.add(ChatMessage.user(line));
                    answer(generator);
                }
            }
        }
        return ExitCode.OK;
    }

    /** Fails now, and not at the first message, if the model has no tokenizer or no template. */
    private static void requireChats(TextGenerator generator) {
        try {
            generator.prompt(Chat.of(List.of(ChatMessage.user("Hello"))));
        } catch (IllegalArgumentException e) {
            // Its template wants other messages: the first answer says which.
        }
    }

    private String ask(BufferedReader in) throws IOException {
        streams.print("> ");
        return in.readLine();
    }

    private void begin(String first) {
        messages.clear();
        if (first != null && !first.isBlank()) {
            messages.add(ChatMessage.system(first));
        }
    }

    private void command(String line, TextGenerator generator) throws IOException {
        if (line.equals("/clear")) {
            begin(system);
        } else if (line.startsWith("/system ")) {
            begin(line.substring("/system ".length()));
        } else if (line.equals("/again") && messages.size() > 1 && messages.getLast().role().equals("assistant")) {
            messages.removeLast();
            answer(generator);
        } else {
            streams.print(HELP);
        }
    }

    private void answer(TextGenerator generator) throws IOException {
        stopped.set(false);
        var before = Signal.handle(new Signal("INT"), _ -> stopped.set(true));
        try {
            GeneratedText result = generator.chat(Chat.of(messages), sampling, (text, _) -> print(text));
            messages.add(ChatMessage.assistant(result.text()));
        } catch (IllegalArgumentException e) {
            messages.removeLast();
            streams.err().println("fovea: " + Failures.oneLine(e.getMessage()));
        } finally {
            Signal.handle(new Signal("INT"), before);
        }
        streams.print("\n");
    }

    private boolean print(CharSequence text) {
        try {
            streams.print(text);
            return !stopped.get();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
