package dev.fovea.cli;

import dev.fovea.EngineOptions;
import dev.fovea.internal.backend.PackingProgress;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.tensor.Layout;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of the commands that run a language model: how it is loaded, and how it writes. */
final class GeneratorArguments extends EngineArguments {
    @Option(names = "--context", paramLabel = "N", defaultValue = "0", description = "Tokens of the longest sequence, prompt"
            + " and answer together (default: the model's own, at most " + GeneratorOptions.DEFAULT_CONTEXT + ").")
    private int context;

    @Option(names = "--cache", paramLabel = "f32|f16|bf16|q8_0", defaultValue = "f16", converter = CacheType.class,
            description = "Type of keys and values in memory (default: ${DEFAULT-VALUE}).")
    private Layout cache;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "256",
            description = "Write at most N tokens (default: ${DEFAULT-VALUE}).")
    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "T", description = "Divide logits by T; 0 takes the likeliest token"
            + " (default: ${DEFAULT-VALUE}).", defaultValue = "0")
    private float temperature;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "Draw from the K likeliest tokens.")
    private int topK;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1",
            description = "Draw from the likeliest tokens whose probabilities sum to P.")
    private float topP;

    @Option(names = "--min-p", paramLabel = "P", defaultValue = "0",
            description = "Draw from tokens at least P times as probable as the likeliest.")
    private float minP;

    @Option(names = "--typical-p", paramLabel = "P", defaultValue = "1",
            description = "Draw from the tokens of the most expected information whose probabilities sum to P.")
    private float typicalP;

    @Option(names = "--repetition-penalty", paramLabel = "X", defaultValue = "1",
            description = "Divide positive logits of tokens of the prompt and the answer by X, and multiply negative ones.")
    private float repetitionPenalty;

    @Option(names = "--presence-penalty", paramLabel = "X", defaultValue = "0",
            description = "Subtract X from the logits of tokens of the answer.")
    private float presencePenalty;

    @Option(names = "--frequency-penalty", paramLabel = "X", defaultValue = "0",
            description = "Subtract X from the logits of tokens of the answer, for each time that they are there.")
    private float frequencyPenalty;

    @Option(names = "--logit-bias", paramLabel = "ID=X", description = "Add X to the logit of the token ID; several times.")
    private Map<Integer, Float> logitBias = Map.of();

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before TEXT; several times.")
    private List<String> stops = List.of();

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "Draw by the numbers of this seed: the same seed, the same text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--ignore-end", description = "Go on behind the token that ends a text.")
    private boolean ignoresEnd;

    @ArgGroup(exclusive = true)
    private FormatArguments format = new FormatArguments();

    @ArgGroup(exclusive = true)
    private SpeculationArguments speculation = new SpeculationArguments();

    /**
     * Loads the model. If that takes a noticeable time, a message on {@code err} says so; on a terminal, a bar shows how far
     * it is.
     *
     * @param path null for the demonstration model, which {@code err} hears of
     * @throws ParameterException if the number of threads, the context or the number of guesses is out of range
     */
    TextGenerator load(Path path, PrintWriter err) throws IOException {
        EngineOptions engine = engine();
        GeneratorOptions options = checked(() -> GeneratorOptions.defaults().withEngineOptions(engine).withWeights(weights())
                .withContext(context).withCache(cache).withConcurrency(1).withSpeculation(speculation.speculation()));
        if (path == null) {
            TextGenerator demonstration = TextGenerator.load(DemonstrationModel.file(), options);
            err.println("fovea: " + DemonstrationModel.NOTICE);
            return demonstration;
        }
        try (var _ = new DelayedNotice(err, "Loading " + path + " …"); var bar = new ByteBar(err)) {
            return ScopedValue.where(PackingProgress.LISTENER, bar::at).call(() -> TextGenerator.load(path, options));
        }
    }

    /**
     * How it writes.
     *
     * @throws ParameterException if a value is out of range, or the answer cannot have the form
     * @throws IOException if a file of the form is not readable
     */
    SamplingOptions sampling() throws IOException {
        OutputFormat form = checked(format.read());
        return checked(() -> new SamplingOptions(maxTokens, temperature, topK, topP, minP, typicalP, repetitionPenalty,
                presencePenalty, frequencyPenalty, logitBias, stops, seed, false, ignoresEnd, form, 0));
    }

    private <T> T checked(Supplier<T> options) {
        try {
            return options.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command().commandLine(), e.getMessage(), e);
        }
    }

    /** Reads {@code f32}, {@code f16}, {@code bf16} or {@code q8_0}. */
    static final class CacheType implements ITypeConverter<Layout> {
        @Override
        public Layout convert(String value) {
            return switch (value) {
                case "f32" -> Layout.F32;
                case "f16" -> Layout.F16;
                case "bf16" -> Layout.BF16;
                case "q8_0" -> Layout.Q8_0;
                default -> throw LowerCaseEnum.unknown(List.of("f32", "f16", "bf16", "q8_0"), value);
            };
        }
    }
}
