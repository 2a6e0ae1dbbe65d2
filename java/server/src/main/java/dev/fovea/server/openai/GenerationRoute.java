package dev.fovea.server.openai;

import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatListener;
import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.TextListener;
import dev.fovea.model.ToolCall;
import dev.fovea.server.http.Cancellation;
import dev.fovea.server.http.CancelledException;
import dev.fovea.server.http.EventStream;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.ErrorShape;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Writer;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.ServerMetrics;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

/** Writes a text, whole or as it comes. What the text goes on with, and how it is sent, the two kinds of routes know. */
abstract class GenerationRoute implements Route {
    private static final Set<String> STREAM_FIELDS = Set.of("include_usage");

    private final ModelSet models;
    private final ServerMetrics metrics;
    private final Function<Throwable, ApiException> translate;

    GenerationRoute(ModelSet models, ServerMetrics metrics, Function<Throwable, ApiException> translate) {
        this.models = models;
        this.metrics = metrics;
        this.translate = translate;
    }

    /** Writes an answer. */
    @FunctionalInterface
    interface PromptWriter {
        Answer write(SamplingOptions options, ChatListener listener);
    }

    /**
     * What is to be written.
     *
     * @param ids what it goes on with
     */
    record Prompt(int[] ids, PromptWriter writer) {
        /** A text behind token ids. */
        static Prompt of(int[] ids, TextGenerator model) {
            return new Prompt(ids, (options, listener) -> Answer.of(model.generate(ids, options, new AllContent(listener))));
        }
    }

    /** Hears of a text of which all is said. */
    private record AllContent(ChatListener listener) implements TextListener {
        @Override
        public boolean next(CharSequence text, int token) {
            return listener.next(Part.CONTENT, text, token);
        }

        @Override
        public void probability(float logProbability, List<Alternative> alternatives) {
            listener.probability(logProbability, alternatives);
        }
    }

    /**
     * What was written, taken apart.
     *
     * @param reasoning empty where the model does not think
     * @param reasoningTokens how many tokens it thought
     */
    record Answer(GeneratedText generated, String content, String reasoning, int reasoningTokens, List<ToolCall> calls) {
        static Answer of(GeneratedText generated) {
            return new Answer(generated, generated.text(), "", 0, List.of());
        }

        static Answer of(ChatAnswer answer, int reasoningTokens) {
            return new Answer(answer.generated(), answer.content(), answer.reasoning(),
                    answer.reasoning().isEmpty() ? 0 : reasoningTokens, answer.toolCalls());
        }

        /** A copy without the calls behind the first. */
        Answer withOneCall() {
            return new Answer(generated, content, reasoning, reasoningTokens, calls.subList(0, Math.min(1, calls.size())));
        }
    }

    /** The form that an answer must have; null for any. */
    abstract OutputFormat format(JsonBody body);

    /** What one answer is called, and of which model. */
    record Head(String id, long created, String model) {}

    /** The fields that are known. */
    abstract Set<String> fields();

    /** What ids begin with. */
    abstract String prefix();

    /** What is to be written, and what it goes on with. */
    abstract Prompt prompt(JsonBody body, TextGenerator model);

    /** How many of the likeliest tokens of each place are wanted, beside the log probabilities; −1 if those are not. */
    abstract int likeliest(JsonBody body);

    /** Writes the fields of a choice of a whole answer, but for its index and finish. */
    abstract void writeWhole(JsonText choice, Answer answer, LogProbabilities logProbabilities);

    /** The name of the kind of a whole answer, or of a piece. */
    abstract String object(boolean piece);

    /** Writes the fields of a choice of a piece; {@code first} says whether it is the one that has no text yet. */
    abstract void writePiece(JsonText choice, Part part, CharSequence text, boolean first);

    /** Writes the log probabilities of the tokens of a piece. */
    abstract void writeLogProbabilities(JsonText choice, LogProbabilities logProbabilities);

    /** Writes the calls of tools of an answer as a piece. */
    abstract void writeCalls(JsonText choice, Answer answer);

    /** Whether a piece without text comes first. */
    abstract boolean beginsWithRole();

    @Override
    public final void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(fields());
        Writer writer = models.find(Writer.class, body.string("model", null), "writes texts");
        TextGenerator model = writer.generator().model();
        int likeliest = likeliest(body);
        if (likeliest >= 0) {
            model.tokenizer(); // tells now, not behind the answer, that there is none
        }
        SamplingOptions options = SamplingFields.read(body, model.context()).withLogProbabilities(likeliest >= 0)
                .withAlternatives(Math.max(0, likeliest)).withFormat(format(body));
        boolean streams = body.bool("stream", false);
        boolean usage = body.has("stream_options")
                && body.object("stream_options").allowOnly(STREAM_FIELDS).bool("include_usage", false);
        Prompt prompt = prompt(body, model);
        requireRoom(prompt.ids(), model);
        Head head = new Head(prefix() + UUID.randomUUID().toString().replace("-", ""), System.currentTimeMillis() / 1000,
                writer.name());
        if (streams) {
            new Streaming(exchange, writer, head, options, usage).run(prompt);
        } else {
            Cancellation cancellation = exchange.cancellation();
            Answer answer = write(exchange, writer, prompt, options, (_, _, _) -> !cancellation.isCancelled());
            Route.json(exchange, whole(head, answer, LogProbabilities.of(answer.generated(), model)));
        }
    }

    private static void requireRoom(int[] prompt, TextGenerator model) {
        if (prompt.length == 0) {
            throw new ApiException(Kind.EMPTY, "the prompt has no tokens");
        }
        if (prompt.length > model.context()) {
            throw new ApiException(Kind.TOO_LONG, "the prompt has " + prompt.length + " tokens, and the model's context "
                    + model.context());
        }
    }

    private Answer write(Exchange exchange, Writer writer, Prompt prompt, SamplingOptions options, ChatListener listener) {
        return writer.generator().write(exchange.cancellation(), () -> {
            long start = System.nanoTime();
            Answer answer = prompt.writer().write(options, listener);
            GeneratedText result = answer.generated();
            metrics.wrote(writer.name(), result.promptTokens(), result.tokens().length, System.nanoTime() - start);
            if (result.finish() == Finish.CANCELLED) {
                exchange.cancellation().check();
                throw new CancelledException(Cancellation.Reason.GONE);
            }
            return answer;
        });
    }

    private String whole(Head head, Answer answer, LogProbabilities logProbabilities) {
        return new JsonText().object(json -> {
            begin(json, head, false);
            json.array("choices", choices -> choices.object(choice -> {
                choice.put("index", 0);
                writeWhole(choice, answer, logProbabilities);
                choice.put("finish_reason", finish(answer));
            }));
            writeUsage(json, answer);
        }).toString();
    }

    private void begin(JsonText answer, Head head, boolean piece) {
        answer.put("id", head.id()).put("object", object(piece)).put("created", head.created()).put("model", head.model());
    }

    private static void writeUsage(JsonText json, Answer answer) {
        GeneratedText result = answer.generated();
        json.object("usage", usage -> {
            usage.put("prompt_tokens", result.promptTokens()).put("completion_tokens", result.tokens().length)
                    .put("total_tokens", (long) result.promptTokens() + result.tokens().length);
            if (answer.reasoningTokens() > 0) {
                usage.object("completion_tokens_details", details -> details.put("reasoning_tokens", answer.reasoningTokens()));
            }
        });
    }

    private static String finish(Answer answer) {
        if (!answer.calls().isEmpty()) {
            return "tool_calls";
        }
        GeneratedText result = answer.generated();
        return switch (result.finish()) {
            case END, STOP -> "stop";
            case LENGTH, CONTEXT -> "length";
            case CANCELLED, TIMEOUT -> throw new IllegalStateException("an answer that was not wanted ended: " + result.finish());
        };
    }

    /** An answer that is sent as it is written. It begins with the first token, so what is wrong before has a status. */
    private final class Streaming implements ChatListener {
        private final Exchange exchange;
        private final Writer writer;
        private final Head head;
        private final SamplingOptions options;
        private final boolean usage;
        /** Null where they are not asked for. */
        private final LogProbabilities.Gathering probabilities;
        private EventStream events;
        private float logProbability;
        private List<Alternative> alternatives;

        private Streaming(Exchange exchange, Writer writer, Head head, SamplingOptions options, boolean usage) {
            this.exchange = exchange;
            this.writer = writer;
            this.head = head;
            this.options = options;
            this.usage = usage;
            this.probabilities = options.logProbabilities() ? new LogProbabilities.Gathering(writer.generator().model()) : null;
        }

        private void run(Prompt prompt) {
            try {
                Answer answer = write(exchange, writer, prompt, options, this);
                open();
                if (!answer.calls().isEmpty()) {
                    events.send(piece(choice -> writeCalls(choice, answer), null));
                }
                finish(answer);
            } catch (RuntimeException | Error e) {
                if (events == null) {
                    throw e;
                }
                events.fail(translate.apply(e).json(ErrorShape.OPENAI));
                throw e;
            } finally {
                if (events != null) {
                    events.close();
                }
            }
        }

        private void open() {
            if (events == null) {
                events = exchange.openEvents();
                if (beginsWithRole()) {
                    events.send(piece(choice -> writePiece(choice, Part.CONTENT, "", true), null));
                }
            }
        }

        @Override
        public void probability(float logProbability, List<Alternative> alternatives) {
            this.logProbability = logProbability;
            this.alternatives = alternatives;
        }

        @Override
        public boolean next(Part part, CharSequence text, int token) {
            if (exchange.cancellation().isCancelled()) {
                return false;
            }
            open();
            if (probabilities != null && token >= 0) {
                probabilities.add(token, logProbability, alternatives);
            }
            return text.isEmpty() || events.send(piece(choice -> {
                writePiece(choice, part, text, false);
                writeLogProbabilities(choice);
            }, null));
        }

        private void writeLogProbabilities(JsonText choice) {
            LogProbabilities some = probabilities == null ? null : probabilities.take();
            if (some != null) {
                GenerationRoute.this.writeLogProbabilities(choice, some);
            }
        }

        private void finish(Answer answer) {
            GeneratedText result = answer.generated();
            if (probabilities != null) {
                probabilities.addRest(result);
            }
            events.send(piece(choice -> {
                writePiece(choice, Part.CONTENT, "", false);
                writeLogProbabilities(choice);
            }, GenerationRoute.finish(answer)));
            if (usage) {
                events.send(new JsonText().object(json -> {
                    begin(json, head, true);
                    json.array("choices", _ -> { });
                    writeUsage(json, answer);
                }).toString());
            }
            events.send("[DONE]");
        }

        private String piece(Consumer<JsonText> content, String finish) {
            return new JsonText().object(answer -> {
                begin(answer, head, true);
                answer.array("choices", choices -> choices.object(choice -> {
                    choice.put("index", 0);
                    content.accept(choice);
                    choice.put("finish_reason", finish);
                }));
                if (usage) {
                    answer.putNull("usage");
                }
            }).toString();
        }
    }
}
