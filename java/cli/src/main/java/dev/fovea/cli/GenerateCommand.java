package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.TextListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Stack;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fovea generate}: goes on with a text. */
@Command(name = "generate", description = "Go on with a text by a language model.")
final class GenerateCommand implements Callable<Integer> {
    private static final int CONSIDERED = 5;

    private final Streams streams;

    @Mixin
    private GeneratorArguments arguments;

    @Option(names = "--model", paramLabel = "DIR|FILE.gguf",
            description = "A directory in the Hugging Face layout or a .gguf file (default: " + DemonstrationModel.NAME
                    + ", a very small model for trying this out).")
    private Path model;

    @Option(names = "--token-ids", paramLabel = "ID", split = ",",
            description = "Go on with these token ids, as they are, instead of a text.")
    private int[] tokenIds;

    @Option(names = "--json", description = "Write one line of JSON: the ids of the tokens written, that of the end among"
            + " them, the text, and why it ended.")
    private boolean json;

    @Option(names = "--log-probabilities", description = "With --json, the logarithms of the probabilities of tokens.")
    private boolean logProbabilities;

    @Option(names = "--probabilities", paramLabel = "K", arity = "0..1", fallbackValue = "" + CONSIDERED, defaultValue = "0",
            preprocessor = NumberOrNothing.class,
            description = "Show for each token its probability, and the K likeliest in its place with theirs (default: 5), as the"
                    + " model gave them: before biases, penalties, temperature and formats.")
    private int alternatives;

    /** Leaves a PROMPT alone that follows an option whose number may be missing. */
    static final class NumberOrNothing implements IParameterPreprocessor {
        @Override
        public boolean preprocess(Stack<String> args, CommandSpec spec, ArgSpec option, Map<String, Object> info) {
            boolean attached = "=".equals(info.get("separator"));
            if (!attached && !args.isEmpty() && !args.peek().matches("-?\\d+")) {
                args.push(Integer.toString(CONSIDERED));
            }
            return false;
        }
    }

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "The text to go on with.")
    private String prompt;

    @Spec
    private CommandSpec spec;

    GenerateCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if ((prompt == null) == (tokenIds == null)) {
            throw new ParameterException(spec.commandLine(), "expected a PROMPT or --token-ids, got "
                    + (prompt == null ? "neither" : "both"));
        }
        if (logProbabilities && !json) {
            throw new ParameterException(spec.commandLine(), "--log-probabilities needs --json; --probabilities shows them as text");
        }
        SamplingOptions options = sampling();
        try (TextGenerator generator = arguments.load(model, streams.err())) {
            TextListener listener = json ? (_, _) -> true : (text, _) -> print(text);
            GeneratedText result = tokenIds == null ? generator.generate(prompt, options, listener)
                    : generator.generate(tokenIds, options, listener);
            if (json) {
                writeJson(result, new Probabilities(generator));
            } else {
                // Without a tokenizer, the ids are all that there is to show.
                streams.print((generator.hasTokenizer() ? "" : ids(result)) + "\n");
                if (alternatives > 0) {
                    streams.print("\n" + new Probabilities(generator).table(result));
                }
            }
        }
        return ExitCode.OK;
    }

    private SamplingOptions sampling() throws IOException {
        try {
            return arguments.sampling().withLogProbabilities(logProbabilities || alternatives > 0).withAlternatives(alternatives);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private boolean print(CharSequence text) {
        try {
            streams.printSaid(text);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String ids(GeneratedText result) {
        return Arrays.stream(result.tokens()).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    private void writeJson(GeneratedText result, Probabilities probabilities) throws IOException {
        JsonWriter out = new JsonWriter(streams.writer());
        out.beginObject().name("tokens").beginArray();
        for (int token : result.tokens()) {
            out.value(token);
        }
        out.endArray().name("text").value(result.text()).name("prompt_tokens").value(result.promptTokens())
                .name("finish").value(result.finish().name().toLowerCase(Locale.ROOT));
        if (logProbabilities) {
            out.name("log_probabilities").beginArray();
            for (float logProbability : result.logProbabilities()) {
                out.value(logProbability);
            }
            out.endArray();
        }
        if (alternatives > 0) {
            probabilities.write(result, out.name("probabilities"));
        }
        out.endObject().flush();
        streams.print("\n");
    }
}
