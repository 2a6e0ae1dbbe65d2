package dev.fovea.cli;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
        + " Ctrl-C stops the answer. What a model thinks first is dim, or between <think> and </think> where there are no colours.")
final class ChatCommand implements Callable<Integer> {
    private static final String HELP = """
            /help         show this
            /clear        begin anew
            /system TEXT  begin anew, and tell the model TEXT first
            /again        answer the last message again
            /exit         end, as the end of the input does
            Ctrl-C stops an answer.
            """;

    private final Streams streams;
    private final List<ChatMessage> messages = new ArrayList<>();
    private final AtomicBoolean stopped = new AtomicBoolean();

    @Mixin
    private GeneratorArguments arguments;

    @Option(names = "--system", paramLabel = "TEXT", description = "Tell the model TEXT first.")
    private String system;

    @Option(names = "--no-thinking", description = "Tell the model's template that it should not think before it answers"
            + " (enable_thinking = false).")
    private boolean noThinking;

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
        try (TextGenerator generator = arguments.load(model, streams.err()); ChatLines lines = ChatLines.of(streams)) {
            requireChats(generator);
            begin(system);
            while (true) {
                String line = lines.next();
                if (line == null || line.equals("/exit")) {
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
        } else if (line.equals("/help")) {
            streams.print(HELP);
        } else {
            streams.err().println("fovea: " + (line.equals("/again") ? "there is no answer yet" : "no such command: "
                    + Failures.oneLine(line) + "; /help shows those that there are"));
        }
    }

    private void answer(TextGenerator generator) throws IOException {
        stopped.set(false);
        var before = Signal.handle(new Signal("INT"), _ -> stopped.set(true));
        try {
            var printer = new AnswerPrinter(streams, Terminal.isColored(System.getenv()));
            Chat chat = Chat.of(messages);
            ChatAnswer answer = generator.answer(noThinking ? chat.withVariables(Map.of("enable_thinking", false)) : chat, sampling,
                    (part, text, _) -> printer.print(part, text) && !stopped.get());
            printer.end();
            messages.add(answer.message());
        } catch (IllegalArgumentException e) {
            messages.removeLast();
            streams.err().println("fovea: " + Failures.oneLine(e.getMessage()));
        } finally {
            Signal.handle(new Signal("INT"), before);
        }
        streams.print("\n");
    }
}
