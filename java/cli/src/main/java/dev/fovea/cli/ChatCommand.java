package dev.fovea.cli;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
            /system TEXT  begin anew, and tell the model TEXT first; without TEXT, nothing
            /again        answer the last message again, by the next seed
            /exit         end, as the end of the input does
            Ctrl-C stops an answer.
            """;

    private final Streams streams;
    private final List<ChatMessage> messages = new ArrayList<>();
    /** Who writes an answer, which Ctrl-C stops; null between answers. Guarded by this. */
    private Thread answering;

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
                if (line == null || line.strip().equals("/exit")) {
                    break;
                } else if (line.startsWith("/")) {
                    command(line.strip(), generator);
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
        } else if (line.equals("/system") || line.startsWith("/system ")) {
            begin(line.substring("/system".length()).strip());
        } else if (line.equals("/again") && messages.size() > 1 && messages.getLast().role().equals("assistant")) {
            messages.removeLast();
            sampling = sampling.withSeed(sampling.seed() + 1);
            answer(generator);
        } else if (line.equals("/help")) {
            streams.print(HELP);
        } else {
            streams.err().println("fovea: " + (line.equals("/again") ? "there is no answer yet" : "no such command: "
                    + Failures.oneLine(line) + "; /help shows those that there are"));
        }
    }

    private void answer(TextGenerator generator) throws IOException {
        var before = Signal.handle(new Signal("INT"), _ -> stop());
        ChatAnswer answer = null;
        try {
            setAnswering(Thread.currentThread());
            var printer = new AnswerPrinter(streams, Terminal.isColored(System.getenv()));
            Chat chat = Chat.of(messages);
            answer = generator.answer(noThinking ? chat.withVariables(Map.of("enable_thinking", false)) : chat, sampling,
                    (part, text, _) -> printer.print(part, text));
            printer.end();
        } catch (IllegalArgumentException e) {
            streams.err().println("fovea: " + Failures.oneLine(e.getMessage()));
        } finally {
            setAnswering(null);
            Signal.handle(new Signal("INT"), before);
        }
        Finish finish = answer == null ? null : answer.generated().finish();
        if (answer == null || finish == Finish.CANCELLED && answer.generated().tokens().length == 0) {
            messages.removeLast(); // as it has no answer
        } else {
            messages.add(answer.message());
        }
        streams.print("\n");
        tellOfEnd(finish, generator.context());
    }

    /** By an interrupt: so it also stops while the model reads, and has written nothing yet. */
    private synchronized void stop() {
        if (answering != null) {
            answering.interrupt();
        }
    }

    /** Nothing that comes later interrupts who has written. */
    private synchronized void setAnswering(Thread thread) {
        answering = thread;
        if (thread == null) {
            Thread.interrupted();
        }
    }

    /** An answer that is not all that the model would have said is not taken for one. */
    private void tellOfEnd(Finish finish, int context) {
        if (finish == Finish.LENGTH) {
            streams.err().println("fovea: the answer has all " + sampling.maxTokens() + " tokens that --max-tokens gives it");
        } else if (finish == Finish.CONTEXT) {
            streams.err().println("fovea: the chat has all " + context + " tokens of the context; /clear begins anew");
        }
    }
}
