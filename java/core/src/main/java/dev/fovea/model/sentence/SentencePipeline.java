package dev.fovea.model.sentence;

import dev.fovea.model.family.Head;
import dev.fovea.ops.Pooling;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The way from token vectors to a text's vector, and who goes it: the graph where an op does all of it, as of most
 * models; else the graph pools if it can, and a {@link Finish} does the rest in double. Immutable, and shared by all
 * sessions of a model.
 */
public final class SentencePipeline {
    private final SentenceConfig config;
    private final int width;
    private final int components;
    private final int dimension;
    private final boolean inGraph;
    private final Pooling graphPooling;
    private final List<VectorStage> stages;

    private SentencePipeline(SentenceConfig config, int width, int wanted) throws IOException {
        this.config = config;
        this.width = width;
        this.components = components(config, width);
        this.dimension = dimension(config, components, wanted);
        boolean one = config.pooling().size() == 1 && config.includePrompt();
        this.graphPooling = one ? config.pooling().getFirst().op().orElse(null) : null;
        boolean plain = config.behind().isEmpty() || config.behind().size() == 1 && config.normalizes();
        this.inGraph = graphPooling != null && plain && dimension == components;
        this.stages = inGraph ? List.of() : stages(config);
    }

    /**
     * The pipeline of a model, with the weights of its modules.
     *
     * @param width components of a token's vector
     * @param dimensions components to keep of a vector, 0 for as many as the model's files say
     * @throws IllegalArgumentException if vectors do not have as many
     * @throws IOException if a module's weights cannot be read, or do not fit
     */
    public static SentencePipeline open(SentenceConfig config, int width, int dimensions) throws IOException {
        return new SentencePipeline(config, width, dimensions);
    }

    private static int components(SentenceConfig config, int width) {
        int components = Math.multiplyExact(config.pooling().size(), width);
        for (SentenceModule module : config.behind()) {
            components = module.outputs(components);
        }
        return components;
    }

    private static int dimension(SentenceConfig config, int components, int wanted) {
        if (wanted > components) {
            throw new IllegalArgumentException(
                    "expected at most the " + components + " dimensions of the model's vectors, got " + wanted);
        }
        int kept = wanted > 0 ? wanted : config.dimensions();
        return kept > 0 ? Math.min(kept, components) : components;
    }

    private static List<VectorStage> stages(SentenceConfig config) throws IOException {
        List<VectorStage> stages = new ArrayList<>();
        int last = config.behind().size() - (config.normalizes() ? 1 : 0);
        for (SentenceModule module : config.behind().subList(0, last)) {
            stages.add(VectorStage.of(module));
        }
        return List.copyOf(stages);
    }

    /** The settings that it follows. */
    public SentenceConfig config() {
        return config;
    }

    /** Components of a text's vector. */
    public int dimension() {
        return dimension;
    }

    /** Components of a text's vector before some are dropped. */
    public int components() {
        return components;
    }

    /** Components of a token's vector. */
    int width() {
        return width;
    }

    /** Whether the graph's first output is the texts' vectors. */
    public boolean isInGraph() {
        return inGraph;
    }

    /** Whether the graph's output has a row for each token, and not for each sequence. */
    public boolean readsTokens() {
        return graphPooling == null;
    }

    /** What the graph does, with the vectors before their normalisation as a second output if {@code keepPooled}. */
    public Head head(boolean keepPooled) {
        return graphPooling == null ? new Head.Hidden()
                : new Head.Pooled(graphPooling, inGraph && config.normalizes(), inGraph && keepPooled);
    }

    /** What comes between pooling and the last normalisation. */
    List<VectorStage> stages() {
        return stages;
    }

    /** What does for one thread what the graph does not. */
    public Finish newFinish() {
        return new Finish(this);
    }

    /** The modes of the pooling, as sentence-transformers writes them: {@code mean} or {@code cls+max}. */
    public String pooling() {
        return config.pooling().stream().map(PoolingMode::word).collect(Collectors.joining("+"));
    }

    /** The whole way in one line, such as {@code mean → Dense(384 → 128, tanh) → Normalize}. */
    public String describe() {
        StringBuilder line = new StringBuilder(pooling());
        line.append(config.includePrompt() ? "" : " without the prompt");
        config.behind().forEach(module -> line.append(" → ").append(module.describe()));
        if (dimension < components) {
            line.append(" → first ").append(dimension).append(" of ").append(components);
            line.append(config.normalizes() ? " → Normalize" : "");
        }
        return line.toString();
    }
}
