package dev.fovea.server.openai;

import dev.fovea.model.GeneratedText;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.TextListener;
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

    /** What one answer is called, and of which model. */
    record Head(String id, long created, String model) {}

    /** The fields that are known. */
    abstract Set<String> fields();

    /** What ids begin with. */
    abstract String prefix();

    /** The token ids that a text goes on with. */
    abstract int[] prompt(JsonBody body, TextGenerator model);

    /** Whether the log probabilities of tokens are wanted. */
    abstract boolean wantsLogProbabilities(JsonBody body);

    /** Writes the fields of a choice of a whole answer, but for its index and finish. */
    abstract void writeWhole(JsonText choice, GeneratedText result, LogProbabilities logProbabilities);

    /** The name of the kind of a whole answer, or of a piece. */
    abstract String object(boolean piece);

    /** Writes the fields of a choice of a piece; {@code first} says whether it is the one that has no text yet. */
    abstract void writePiece(JsonText choice, CharSequence text, boolean first);

    /** Writes the log probabilities of all tokens, with the last piece. */
    abstract void writeLogProbabilities(JsonText choice, LogProbabilities logProbabilities);

    /** Whether a piece without text comes first. */
    abstract boolean beginsWithRole();

    @Override
    public final void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(fields());
        Writer writer = models.find(Writer.class, body.string("model", null), "writes texts");
        TextGenerator model = writer.generator().model();
        boolean logProbabilities = wantsLogProbabilities(body);
        if (logProbabilities) {
            model.tokenizer(); // tells now, not behind the answer, that there is none
        }
        SamplingOptions options = SamplingFields.read(body, model.context()).withLogProbabilities(logProbabilities);
        boolean streams = body.bool("stream", false);
        boolean usage = body.has("stream_options")
                && body.object("stream_options").allowOnly(STREAM_FIELDS).bool("include_usage", false);
        int[] prompt = prompt(body, model);
        requireRoom(prompt, model);
        Head head = new Head(prefix() + UUID.randomUUID().toString().replace("-", ""), System.currentTimeMillis() / 1000,
                writer.name());
        if (streams) {
            new Streaming(exchange, writer, head, options, usage).run(prompt);
        } else {
            Cancellation cancellation = exchange.cancellation();
            GeneratedText result = write(exchange, writer, prompt, options, (_, _) -> !cancellation.isCancelled());
            Route.json(exchange, whole(head, result, LogProbabilities.of(result, model)));
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

    private GeneratedText write(Exchange exchange, Writer writer, int[] prompt, SamplingOptions options, TextListener listener) {
        return writer.generator().write(exchange.cancellation(), () -> {
            long start = System.nanoTime();
            GeneratedText result = writer.generator().model().generate(prompt, options, listener);
            metrics.wrote(writer.name(), result.promptTokens(), result.tokens().length, System.nanoTime() - start);
            if (result.finish() == Finish.CANCELLED) {
                exchange.cancellation().check();
                throw new CancelledException(Cancellation.Reason.GONE);
            }
            return result;
        });
    }

    private String whole(Head head, GeneratedText result, LogProbabilities logProbabilities) {
        return new JsonText().object(answer -> {
            begin(answer, head, false);
            answer.array("choices", choices -> choices.object(choice -> {
                choice.put("index", 0);
                writeWhole(choice, result, logProbabilities);
                choice.put("finish_reason", finish(result));
            }));
            writeUsage(answer, result);
        }).toString();
    }

    private void begin(JsonText answer, Head head, boolean piece) {
        answer.put("id", head.id()).put("object", object(piece)).put("created", head.created()).put("model", head.model());
    }

    private static void writeUsage(JsonText answer, GeneratedText result) {
        answer.object("usage", usage -> usage.put("prompt_tokens", result.promptTokens())
                .put("completion_tokens", result.tokens().length)
                .put("total_tokens", (long) result.promptTokens() + result.tokens().length));
    }

    private static String finish(GeneratedText result) {
        return switch (result.finish()) {
            case END, STOP -> "stop";
            case LENGTH, CONTEXT -> "length";
            case CANCELLED, TIMEOUT -> throw new IllegalStateException("an answer that was not wanted ended: " + result.finish());
        };
    }

    /** An answer that is sent as it is written. It begins with the first token, so what is wrong before has a status. */
    private final class Streaming {
        private final Exchange exchange;
        private final Writer writer;
        private final Head head;
        private final SamplingOptions options;
        private final boolean usage;
        private EventStream events;

        private Streaming(Exchange exchange, Writer writer, Head head, SamplingOptions options, boolean usage) {
            this.exchange = exchange;
            this.writer = writer;
            this.head = head;
            this.options = options;
            this.usage = usage;
        }

        private void run(int[] prompt) {
            try {
                GeneratedText result = write(exchange, writer, prompt, options, this::next);
                finish(result);
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

        private boolean next(CharSequence text, int token) {
            if (exchange.cancellation().isCancelled()) {
                return false;
            }
            if (events == null) {
                events = exchange.openEvents();
                if (beginsWithRole()) {
                    events.send(piece(choice -> writePiece(choice, "", true), null));
                }
            }
            return text.isEmpty() || events.send(piece(choice -> writePiece(choice, text, false), null));
        }

        private void finish(GeneratedText result) {
            events.send(piece(choice -> {
                writePiece(choice, "", false);
                LogProbabilities all = LogProbabilities.of(result, writer.generator().model());
                if (all != null) {
                    writeLogProbabilities(choice, all);
                }
            }, GenerationRoute.finish(result)));
            if (usage) {
                events.send(new JsonText().object(answer -> {
                    begin(answer, head, true);
                    answer.array("choices", _ -> { });
                    writeUsage(answer, result);
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
