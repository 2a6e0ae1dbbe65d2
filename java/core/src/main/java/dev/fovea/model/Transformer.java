package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.generation.BeamSearch;
import dev.fovea.model.generation.Decoding;
import dev.fovea.model.generation.Encoding;
import dev.fovea.model.generation.SearchOptions;
import dev.fovea.model.generation.TokenRows;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The Transformer of "Attention Is All You Need", Vaswani et al., arXiv:1706.03762, and its descendants: an encoder, a
 * decoder, or both. Token ids in, vectors, tokens or attention patterns out.
 *
 * <pre>{@code
 * var config = TransformerConfig.base(Architecture.ENCODER_DECODER, 1000).withSizes(2, 64, 4, 256);
 * try (var model = Transformer.random(config, 1)) {
 *     int[] target = model.generate(new int[] {5, 17, 9}, GenerationOptions.greedy(0, 1, 20));
 * }
 * }</pre>
 *
 * <p>Weights go by names, those of encoder layer 0 for example {@code encoder.layers.0.attention.query.weight}
 * [d_model, d_model], with {@code key}, {@code value} and {@code output} beside it and {@code norm.weight} [d_model];
 * {@code encoder.layers.0.feed_forward.up.weight} [d_ff, d_model], {@code down.weight} [d_model, d_ff], with SwiGLU
 * {@code gate.weight}; {@code bias} beside each {@code weight} where the config has them. A decoder's layers begin with
 * {@code decoder.layers.}, and with an encoder have a {@code cross_attention} too. Over all there are
 * {@code embedding.weight} [vocabulary, d_model], {@code output.weight} unless embeddings are tied,
 * {@code encoder.norm} and {@code decoder.norm} with a final norm, and {@code encoder.positions.weight} and the
 * decoder's [max_tokens, d_model] where they are learned.
 *
 * <p>Safe to share between threads. A sequence gives the same bits alone, in any batch and with any number of threads;
 * a target the same bits token by token and all at once.
 */
public final class Transformer implements AutoCloseable {
    private static final String NAME = "transformer";
    private static final TokenListener SILENT = (_, _) -> { };

    private final TransformerConfig config;
    private final Engine engine;
    private final Plan encoder;
    private final Plan decoder;
    private final List<CacheGroup> encoderCaches;
    private final List<CacheGroup> decoderCaches;
    private final Owner owner;

    /** Made of checked weights. */
    private Transformer(TransformerConfig config, Map<String, Tensor> weights, Engine engine, Owner owner) {
        this.config = config;
        this.engine = engine;
        this.owner = owner;
        Graph encoding = config.architecture().hasEncoder() ? TransformerFamily.encoderGraph(config, weights) : null;
        Graph decoding = config.architecture().hasDecoder() ? TransformerFamily.decoderGraph(config, weights) : null;
        this.encoderCaches = encoding == null ? List.of() : encoding.caches();
        this.decoderCaches = decoding == null ? List.of() : decoding.caches();
        this.encoder = encoding == null ? null : owner.own(Plan.compile(encoding, engine));
        this.decoder = decoding == null ? null : owner.own(Plan.compile(decoding, engine));
    }

    /**
     * A model of these weights. The caller closes it, and later than it the engine and the memory of the embeddings,
     * which are used where they lie.
     *
     * @param weights F32, by the names above
     * @throws IllegalArgumentException naming the weight and both shapes, if one is missing, has another shape than the
     *     config says, or is unknown to it
     * @throws IllegalStateException if the engine, or the arena of a weight, is closed
     */
    public static Transformer of(TransformerConfig config, Map<String, Tensor> weights, Engine engine) {
        TransformerFamily.requireAll(config, weights);
        return Owner.create(NAME, owner -> new Transformer(config, weights, engine, owner));
    }

    /** A model of random weights, the same for the same seed, on an engine of its own: for studies and tests. */
    public static Transformer random(TransformerConfig config, long seed) {
        return Owner.create(NAME, owner -> {
            Engine engine = owner.own(Engine.create());
            return new Transformer(config, TransformerFamily.random(config, seed, owner.arena()), engine, owner);
        });
    }

    /** A model of random weights, the same for the same seed, on an engine that the caller closes later. */
    public static Transformer random(TransformerConfig config, long seed, Engine engine) {
        return Owner.create(NAME, owner ->
                new Transformer(config, TransformerFamily.random(config, seed, owner.arena()), engine, owner));
    }

    /** What it is made of. */
    public TransformerConfig config() {
        return config;
    }

    /**
     * The encoder's result for a sequence, [tokens][d_model].
     *
     * @throws IllegalArgumentException if the sequence has no tokens or more than the config's, or an id outside the
     *     vocabulary; the message names both numbers
     * @throws IllegalStateException if the model is closed
     * @throws UnsupportedOperationException if it has no encoder
     */
    public float[][] encode(int[] source) {
        return encodeAll(List.of(source)).getFirst();
    }

    /** The encoder's result for each of some sequences, as one ragged batch; see {@link #encode}. */
    public List<float[][]> encodeAll(List<int[]> sources) {
        requireEncoder();
        requireAll("source", sources, config.maxTokens());
        if (sources.isEmpty()) {
            return List.of();
        }
        return inside(() -> {
            try (var encoding = new Encoding(encoder, encoderCaches, engine, sources, false)) {
                return split(encoding.result(), sources);
            }
        });
    }

    /**
     * The decoder's result for a target that is there already, [tokens][d_model]: what the output matrix turns into
     * logits.
     *
     * @param source what the encoder reads; empty for a model without one
     * @throws IllegalArgumentException if a sequence has no tokens or more than the config's, or an id outside the
     *     vocabulary; the message names both numbers
     * @throws IllegalStateException if the model is closed
     * @throws UnsupportedOperationException if it has no decoder
     */
    public float[][] decode(int[] source, int[] target) {
        return onTarget(source, target, false, decoding -> decoding.result(target.length));
    }

    /** The logits of the token that follows a target, [vocabulary]; see {@link #decode}. */
    public float[] logits(int[] source, int[] target) {
        return onTarget(source, target, false, decoding -> decoding.logits(0));
    }

    /** The target that a model writes for a source, or behind a prompt; see {@link #generateAll}. */
    public int[] generate(int[] source, GenerationOptions options) {
        return generateAll(List.of(source), options, SILENT).getFirst();
    }

    /**
     * The targets that a model writes for some sources, or behind some prompts if it has no encoder, all at once: the
     * encoder runs once, the keys and values that the decoder takes from it are computed once and kept, and the decoder
     * goes on token by token.
     *
     * @param sources token ids, of any lengths
     * @param listener hears of tokens as they become certain: with one beam as they come, with several as soon as all
     *     hypotheses agree on them
     * @throws IllegalArgumentException if a source or the longest target has more tokens than the config's, a source
     *     has none, or an id is outside the vocabulary; the message names both numbers
     * @throws IllegalStateException if the model is closed
     * @throws UnsupportedOperationException if it has no decoder
     */
    public List<int[]> generateAll(List<int[]> sources, GenerationOptions options, TokenListener listener) {
        Objects.requireNonNull(listener, "listener");
        requireDecoder();
        requireId("start_id", options.startId());
        requireId("end_id", options.endId());
        boolean hasEncoder = config.architecture().hasEncoder();
        requireAll("source", sources, config.maxTokens());
        int longest = longest(sources);
        // The last token that is written is not read any more.
        int capacity = (hasEncoder ? 1 : longest) + options.maxTokens() - 1;
        if (capacity > config.maxTokens()) {
            throw new IllegalArgumentException("expected targets of at most max_tokens " + config.maxTokens() + ", got "
                    + capacity + " by max_tokens " + options.maxTokens() + " of the options");
        }
        if (sources.isEmpty()) {
            return List.of();
        }
        int beams = options.beams();
        int sequences = Math.multiplyExact(sources.size(), beams);
        List<int[]> prompts = hasEncoder
                ? sources.stream().map(_ -> new int[] {options.startId()}).toList() : sources;
        return inside(() -> {
            int maxTokens = Math.max(sequences, TokenRows.count(prompts));
            try (Decoding decoding = decoding(perBeam(sources, beams), longest, capacity, maxTokens, false)) {
                for (int i = 0; i < sequences; i++) {
                    decoding.shareSource(i - i % beams, i);
                }
                var search = new SearchOptions(options.endId(), options.maxTokens(), beams, options.lengthPenalty());
                return BeamSearch.search(decoding, prompts, search, listener::token);
            }
        });
    }

    /**
     * What every token attends to, in every layer and head.
     *
     * @param source what the encoder reads; empty for a model without one
     * @param target what the decoder reads; empty for a model without one
     * @throws IllegalArgumentException as {@link #encode} and {@link #decode} do
     */
    public TransformerPatterns explain(int[] source, int[] target) {
        AttentionPattern ofEncoder = config.architecture().hasEncoder() ? explainEncoder(source) : null;
        if (!config.architecture().hasDecoder()) {
            return new TransformerPatterns(ofEncoder, null, null);
        }
        return onTarget(source, target, true, decoding -> {
            List<String> targetTokens = names(target);
            if (ofEncoder == null) {
                return new TransformerPatterns(null,
                        AttentionPattern.copyOf(targetTokens, targetTokens, decoding.patterns()), null);
            }
            List<Tensor> own = new ArrayList<>();
            List<Tensor> cross = new ArrayList<>();
            decoding.patterns().forEach(pattern -> (own.size() > cross.size() ? cross : own).add(pattern));
            return new TransformerPatterns(ofEncoder, AttentionPattern.copyOf(targetTokens, targetTokens, own),
                    AttentionPattern.copyOf(targetTokens, names(source), cross));
        });
    }

    private AttentionPattern explainEncoder(int[] source) {
        requireAll("source", List.of(source), config.maxTokens());
        return inside(() -> {
            try (var encoding = new Encoding(encoder, encoderCaches, engine, List.of(source), true)) {
                return AttentionPattern.copyOf(names(source), names(source), encoding.patterns());
            }
        });
    }

    private static List<String> names(int[] tokens) {
        return Arrays.stream(tokens).mapToObj(Integer::toString).toList();
    }

    /** Such as {@code Transformer[TransformerConfig[…], NATIVE engine (avx2, 4 threads)]}. */
    @Override
    public String toString() {
        return "Transformer[" + config + ", " + engine + ']';
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }

    /** What can be read off a decoder that has read a target at once. */
    interface Reading<T> {
        T of(Decoding decoding);
    }

    /** What is read off the decoder behind a target. */
    <T> T onTarget(int[] source, int[] target, boolean explaining, Reading<T> reading) {
        requireDecoder();
        requireAll("target", List.of(target), config.maxTokens());
        if (config.architecture().hasEncoder()) {
            requireAll("source", List.of(source), config.maxTokens());
        } else if (source.length > 0) {
            throw new IllegalArgumentException("expected no source without an encoder, got "
                    + source.length + " tokens");
        }
        return inside(() -> {
            int length = target.length;
            try (Decoding decoding = decoding(List.of(source), source.length, length, length, explaining)) {
                decoding.append(List.of(target));
                return reading.of(decoding);
            }
        });
    }

    /** Empty targets, one for each source, which attend to what the encoder makes of it. */
    private Decoding decoding(List<int[]> sources, int longestSource, int capacity, int maxTokens,
            boolean explaining) {
        var decoding = new Decoding(decoder, decoderCaches, engine, sources.size(), Math.max(1, longestSource),
                capacity, maxTokens, explaining);
        try {
            if (encoder != null) {
                decoding.read(encoder, sources);
            }
            return decoding;
        } catch (Throwable e) {
            decoding.close();
            throw e;
        }
    }

    /** Each source at the first of its sequences; the others have none yet. */
    private static List<int[]> perBeam(List<int[]> sources, int beams) {
        List<int[]> perBeam = new ArrayList<>();
        for (int i = 0; i < sources.size() * beams; i++) {
            perBeam.add(i % beams == 0 ? sources.get(i / beams) : new int[0]);
        }
        return perBeam;
    }

    private static List<float[][]> split(float[][] rows, List<int[]> sequences) {
        List<float[][]> parts = new ArrayList<>();
        int start = 0;
        for (int[] sequence : sequences) {
            parts.add(Arrays.copyOfRange(rows, start, start + sequence.length));
            start += sequence.length;
        }
        return parts;
    }

    private static int longest(List<int[]> sequences) {
        return sequences.stream().mapToInt(ids -> ids.length).max().orElse(0);
    }

    private interface Work<T> {
        T run();
    }

    private <T> T inside(Work<T> work) {
        owner.enter();
        try {
            return work.run();
        } finally {
            owner.exit();
        }
    }

    private void requireEncoder() {
        if (encoder == null) {
            throw new UnsupportedOperationException("a model of architecture " + config.architecture()
                    + " has no encoder");
        }
    }

    private void requireDecoder() {
        if (decoder == null) {
            throw new UnsupportedOperationException("a model of architecture " + config.architecture()
                    + " has no decoder");
        }
    }

    private void requireAll(String role, List<int[]> sequences, int limit) {
        for (int s = 0; s < sequences.size(); s++) {
            int[] ids = Objects.requireNonNull(sequences.get(s), role);
            if (ids.length < 1 || ids.length > limit) {
                throw new IllegalArgumentException(role + ' ' + s + " must have 1 to max_tokens " + limit
                        + " tokens, got " + ids.length);
            }
            for (int id : ids) {
                requireId("ids of " + role + ' ' + s, id);
            }
        }
    }

    private void requireId(String name, int id) {
        if (id < 0 || id >= config.vocabulary()) {
            throw new IllegalArgumentException(name + " must be below the vocabulary " + config.vocabulary()
                    + " and not negative, got " + id);
        }
    }
}
