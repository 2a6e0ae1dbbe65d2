package dev.fovea.model.family;

import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Value;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The forward pass of every {@link Description}: Vaswani et al., arXiv:1706.03762, figure 1, and what came after it.
 * Shapes: x [tokens, width].
 */
public final class ModelGraph {
    /** How many of the likeliest next tokens a decoder's graph yields, unless its vocabulary is smaller. */
    public static final int CANDIDATES = 128;

    private final Graph.Builder g = Graph.builder();
    private final Description d;
    private final ModelWeights w;
    private final AttentionSpec plainSpec;
    /** For the layers in turn, null for those without; empty without RoPE. */
    private final List<Rope> ropes;

    private final Alibi alibi;

    /** Of disentangled attention, or null. */
    private final DistanceTables tables;

    private final DistanceBuckets buckets;
    private final Weight noDistances;

    /** What distances add to scores in all layers, or null. */
    private Value distances;

    /** What earlier tokens left behind in each layer, or null where sequences come as a whole. */
    private CacheGroup own;

    /** What an encoder left behind for each layer, or null without one. */
    private CacheGroup cross;

    private ModelGraph(Description description, ModelWeights weights, Engine engine) {
        this.d = description;
        this.w = weights;
        this.plainSpec = plainSpec(d);
        this.ropes = Rotations.of(d);
        this.alibi = d.positions() instanceof Positions.LinearBias ? Alibi.forHeads(d.attention().heads()) : null;
        if (d.positions() instanceof Positions.Disentangled positions) {
            if (engine == null) {
                throw new UnsupportedOperationException("no graph of this kind has disentangled attention");
            }
            this.tables = new DistanceTables(d, w, positions, engine);
            this.buckets = DistanceBuckets.deberta(d.maxTokens(), positions.span(), positions.logarithmic(),
                    positions.maxDistance());
            this.noDistances = Weight.of(Tensor.allocate(Arena.ofAuto(), DType.F32,
                    Shape.of(1, 2L * positions.span() * d.attention().heads())));
        } else {
            this.tables = null;
            this.buckets = null;
            this.noDistances = null;
        }
        g.maxTokens(d.maxTokens());
    }

    /**
     * A stack that reads sequences as a whole, from token ids to what its head makes of them: the hidden states
     * [tokens, width]; or vectors [sequences, width] and, where they are kept, those before their normalisation; or
     * what {@link #decoder} yields.
     *
     * @throws UnsupportedOperationException naming it, if the description has what no op of a graph computes
     */
    public static Graph encoder(Description description, ModelWeights weights) {
        return encoder(description, weights, (Engine) null);
    }

    /**
     * As {@link #encoder(Description, ModelWeights)}, of any positions.
     *
     * @param engine computes what the graph has as constants: keys and queries of distances
     */
    public static Graph encoder(Description description, ModelWeights weights, Engine engine) {
        if (description.crossAttention()) {
            throw new IllegalArgumentException("expected a stack without cross-attention, got one with it");
        }
        requireNoSoftcap(description);
        var model = new ModelGraph(description, weights, engine);
        return model.headed(model.forward());
    }

    /**
     * An encoder that a decoder attends to: its result [tokens, width] is also turned into keys and values for each of
     * the decoder's layers and appended to a group of caches, the graph's only one, which the decoder reads as its
     * second.
     */
    public static Graph encoder(Description description, ModelWeights weights, Description decoder,
            ModelWeights decoderWeights) {
        var model = new ModelGraph(description, weights, null);
        Value x = model.forward();
        AttentionSpec spec = plainSpec(decoder);
        CacheGroup memory = model.g.caches();
        for (int layer = 0; layer < decoder.layers(); layer++) {
            Value key = model.linear(x, decoderWeights, Part.CROSS_KEY, layer);
            Value value = model.linear(x, decoderWeights, Part.CROSS_VALUE, layer);
            model.g.append(key, value, memory.slot(spec));
        }
        return model.g.build(x);
    }

    /**
     * A stack that goes on token by token, from ids that follow those in its caches: first group, what its own tokens
     * leave behind; second, with cross-attention, what an encoder does. Of a next-token head the outputs are the hidden
     * states [tokens, width] and, for the last token of each sequence, the logits [sequences, vocabulary], the ids of
     * the {@link #CANDIDATES} largest, in that order, and the logarithms of their probabilities.
     *
     * @throws UnsupportedOperationException naming it, if the description has what no op of a graph computes
     */
    public static Graph decoder(Description description, ModelWeights weights) {
        requireNoSoftcap(description);
        ModelGraph model = growing(description, weights);
        return model.headed(model.forward());
    }

    /**
     * As {@link #decoder}, of a next-token head, whose logits for the last token of each sequence are the only output,
     * [sequences, vocabulary]. Where the head has a softcap, they are to be multiplied by it: the output is {@code
     * tanh(x / softcap)}.
     *
     * @throws UnsupportedOperationException naming it, if the description has what no op of a graph computes
     */
    public static Graph generator(Description description, ModelWeights weights) {
        if (!(description.head() instanceof Head.NextToken(boolean tied, float softcap))) {
            throw new IllegalArgumentException("expected a next-token head, got " + description.head());
        }
        ModelGraph model = growing(description, weights);
        Value last = model.g.named("last").pool(model.layers(), Pooling.LAST);
        if (description.norms().afterLast()) {
            last = model.norm(last, Part.FINAL_NORM, 0, softcap > 0 ? 1 / softcap : 1);
        }
        Value logits = model.g.named("logits").linear(last, weights.weight(tied ? Part.WORDS : Part.OUTPUT, 0), null);
        return model.g.build(softcap > 0 ? model.g.named("capped").activate(logits, Activation.TANH) : logits);
    }

    private static ModelGraph growing(Description description, ModelWeights weights) {
        var model = new ModelGraph(description, weights, null);
        model.own = model.g.caches();
        model.cross = description.crossAttention() ? model.g.caches() : null;
        return model;
    }

    private Value forward() {
        Value x = layers();
        return d.norms().afterLast() ? norm(x, Part.FINAL_NORM, 0) : x;
    }

    /** What the last layer yields. */
    private Value layers() {
        Value x = embeddings();
        distances = distances();
        for (int layer = 0; layer < d.layers(); layer++) {
            x = d.norms().place() == Norms.Place.PARALLEL ? parallelLayer(x, layer) : layer(x, layer);
        }
        return x;
    }

    private Value embeddings() {
        Weight words = w.weight(Part.WORDS, 0);
        boolean typed = d.embedding().tokenTypes() > 0;
        Weight type = typed && !d.embedding().ofPairs() ? w.weight(Part.TOKEN_TYPES, 0).row(0) : null;
        Positions.Learned learned = d.positions().learned();
        Weight positions = learned != null ? w.weight(Part.POSITIONS, 0)
                : d.positions() instanceof Positions.Sinusoidal
                        ? Weight.of(Sinusoids.table(Arena.ofAuto(), d.maxTokens(), d.width())) : null;
        int first = learned != null ? learned.first() : 0;
        Value sum = named(Part.WORDS, 0).embedding(words, d.embedding().scale(), positions, first, type);
        if (typed && d.embedding().ofPairs()) {
            sum = g.add(sum, named(Part.TOKEN_TYPES, 0).tokenTypes(w.weight(Part.TOKEN_TYPES, 0)));
        }
        Description.Projection projection = d.embedding().projection();
        if (projection != null && !projection.afterNorm()) {
            sum = linear(sum, w, Part.EMBEDDING_PROJECTION, 0);
        }
        Value normed = d.norms().afterEmbeddings() ? norm(sum, Part.EMBEDDING_NORM, 0) : sum;
        return projection != null && projection.afterNorm() ? linear(normed, w, Part.EMBEDDING_PROJECTION, 0) : normed;
    }

    /** What the distances of tokens add to scores, which all layers share; null without it. */
    private Value distances() {
        int heads = d.attention().heads();
        if (d.head() instanceof Head.TokenVectors vectors && vectors.hidesSecond()) {
            return hidden(heads);
        }
        if (!(d.positions() instanceof Positions.RelativeBias(int buckets, int maxDistance, _))) {
            return null;
        }
        Tensor table = w.weight(Part.DISTANCES, 0).toF32(Arena.ofAuto());
        Tensor byHead = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(1, (long) heads * buckets));
        for (int head = 0; head < heads; head++) {
            for (int b = 0; b < buckets; b++) {
                byHead.segment().setAtIndex(ValueLayout.JAVA_FLOAT, (long) head * buckets + b, table.getFloat(b, head));
            }
        }
        Graph.Builder named = named(Part.DISTANCES, 0);
        return own == null
                ? named.relativeBias(heads, Weight.of(byHead), null, null, DistanceBuckets.t5(d.maxTokens(), buckets, maxDistance))
                : named.relativeBias(heads, Weight.of(byHead), DistanceBuckets.t5Causal(d.maxTokens(), buckets, maxDistance), own);
    }

    /** −∞ for keys of the second type, 0 for others. */
    private Value hidden(int heads) {
        Tensor byType = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(2, heads));
        for (int head = 0; head < heads; head++) {
            byType.segment().setAtIndex(ValueLayout.JAVA_FLOAT, heads + head, Float.NEGATIVE_INFINITY);
        }
        Weight zeros = Weight.of(Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(1, heads)));
        return g.named("hidden").relativeBias(heads, zeros, null, g.tokenTypes(Weight.of(byType)),
                DistanceBuckets.of(d.maxTokens(), 1, _ -> 0));
    }

    private Value layer(Value x, int layer) {
        Value h = !d.norms().before(layer) ? g.add(x, selfAttention(x, layer))
                : sublayer(x, layer, Part.ATTENTION_NORM, Part.ATTENTION_POST_NORM, in -> selfAttention(in, layer));
        if (d.crossAttention()) {
            h = sublayer(h, layer, Part.CROSS_NORM, Part.CROSS_POST_NORM, in -> crossAttention(in, layer));
        }
        return sublayer(h, layer, Part.FEED_FORWARD_NORM, Part.FEED_FORWARD_POST_NORM, in -> feedForward(in, layer));
    }

    private Value parallelLayer(Value x, int layer) {
        Value attended = g.add(x, selfAttention(norm(x, Part.ATTENTION_NORM, layer), layer));
        if (d.crossAttention()) {
            attended = g.add(attended, crossAttention(norm(x, Part.CROSS_NORM, layer), layer));
        }
        return g.add(attended, feedForward(norm(x, Part.FEED_FORWARD_NORM, layer), layer));
    }

    /** Residual connection and norms around {@code f}. */
    private Value sublayer(Value x, int layer, Part norm, Part postNorm, UnaryOperator<Value> f) {
        return switch (d.norms().place()) {
            case AFTER -> norm(g.add(x, f.apply(x)), norm, layer);
            case SANDWICH -> g.add(x, norm(f.apply(norm(x, norm, layer)), postNorm, layer));
            case BEFORE, PARALLEL -> g.add(x, f.apply(norm(x, norm, layer)));
        };
    }

    private Value selfAttention(Value x, int layer) {
        Value query = linear(x, w, Part.QUERY, layer);
        Value key = linear(x, w, Part.KEY, layer);
        Value value = linear(x, w, Part.VALUE, layer);
        switch (d.attention().queryKeyNorm()) {
            case NONE -> { }
            case ALL_HEADS -> {
                query = norm(query, Part.QUERY_NORM, layer);
                key = norm(key, Part.KEY_NORM, layer);
            }
            case EACH_HEAD -> {
                query = headNorm(query, d.attention().heads(), Part.QUERY_NORM, layer);
                key = headNorm(key, d.attention().kvHeads(), Part.KEY_NORM, layer);
            }
        }
        AttentionSpec spec = spec(layer);
        Graph.Builder named = g.named("attention." + layer);
        Value bias = tables == null ? distances : disentangled(query, key, layer);
        Value mixed = own != null ? named.attention(query, key, value, spec, own.slot(spec), bias)
                : bias != null ? named.attention(query, key, value, spec, bias)
                : named.attention(query, key, value, spec);
        return linear(mixed, w, Part.ATTENTION_OUTPUT, layer);
    }

    /** What distances are worth to the layer's queries and keys, scaled as their products are. */
    private Value disentangled(Value query, Value key, int layer) {
        var positions = (Positions.Disentangled) d.positions();
        int heads = d.attention().heads();
        Value byQuery = !positions.byQuery() ? null
                : g.named("by_query." + layer).headLinear(heads, query, tables.of(Part.KEY, layer));
        Value byKey = !positions.byKey() ? null
                : g.named("by_key." + layer).headLinear(heads, key, tables.of(Part.QUERY, layer));
        return g.named("distances." + layer).relativeBias(heads, byQuery == null ? noDistances : null, byQuery, byKey,
                buckets);
    }

    private Value crossAttention(Value x, int layer) {
        Value query = linear(x, w, Part.CROSS_QUERY, layer);
        Value mixed = g.named("cross_attention." + layer).crossAttention(query, plainSpec, cross.slot(plainSpec));
        return linear(mixed, w, Part.CROSS_OUTPUT, layer);
    }

    private Value feedForward(Value x, int layer) {
        var feedForward = d.feedForward();
        Value inner = linear(x, w, feedForward.gated() ? Part.GATE : Part.UP, layer);
        inner = g.named("activated." + layer).activate(inner, feedForward.activation());
        if (feedForward.gated()) {
            inner = g.named("gated." + layer).multiply(inner, linear(x, w, Part.UP, layer));
        }
        return linear(inner, w, Part.DOWN, layer);
    }

    private Graph headed(Value x) {
        return switch (d.head()) {
            case Head.Hidden _ -> g.build(x);
            case Head.Pooled(Pooling pooling, boolean normalize, boolean keepPooled) -> {
                Value pooled = g.named("pooled").pool(x, pooling);
                Value vectors = normalize ? g.named("vectors").normalize(pooled) : pooled;
                yield keepPooled ? g.build(vectors, pooled) : g.build(vectors);
            }
            case Head.Scores scores -> g.build(scores(x, scores));
            case Head.TokenVectors(int width, boolean normalize, _) -> {
                Value vectors = width > 0 ? linear(x, w, Part.HEAD_OUTPUT, 0) : x;
                yield g.build(normalize ? g.named("vectors").normalize(vectors) : vectors);
            }
            case Head.NextToken(boolean tied, _) -> {
                Weight output = w.weight(tied ? Part.WORDS : Part.OUTPUT, 0);
                Value logits = g.named("logits").linear(g.pool(x, Pooling.LAST), output, null);
                Value likeliest = g.named("likeliest").topK(logits, Math.min(CANDIDATES, d.vocabulary()));
                Value logProbabilities = g.named("log_probabilities").gather(g.logSoftmax(logits), likeliest);
                yield g.build(x, logits, likeliest, logProbabilities);
            }
        };
    }

    private Value scores(Value x, Head.Scores head) {
        Value read = switch (head.reading()) {
            case TOKENS, MEAN_OF_SCORES -> x;
            case FIRST -> g.named("first").pool(x, Pooling.CLS);
            case LAST -> g.named("last").pool(x, Pooling.LAST);
            case MEAN -> g.named("mean").pool(x, Pooling.MEAN);
        };
        Head.Dense dense = head.dense();
        if (dense != null) {
            read = g.named("dense").activate(linear(read, w, Part.HEAD_DENSE, 0), dense.activation());
            read = dense.norm() ? norm(read, Part.HEAD_NORM, 0) : read;
        }
        Weight output = w.weight(head.tied() ? Part.WORDS : Part.HEAD_OUTPUT, 0);
        Value scores = g.named("scores").linear(read, output, w.bias(Part.HEAD_OUTPUT, 0));
        return head.reading() == Head.Reading.MEAN_OF_SCORES ? g.named("mean").pool(scores, Pooling.MEAN) : scores;
    }

    /** Attention without masks and positions, as to an encoder's result. */
    private static AttentionSpec plainSpec(Description d) {
        var attention = d.attention();
        return new AttentionSpec(attention.heads(), attention.kvHeads(), attention.headDim(), attention.valueDim(),
                attention.scale(), Mask.none(), attention.softcap(), null, null);
    }

    private AttentionSpec spec(int layer) {
        AttentionSpec masked = plainSpec.withMask(d.attention().mask(layer));
        Rope rope = ropes.isEmpty() ? null : ropes.get(layer % ropes.size());
        return rope != null ? masked.withRope(rope) : alibi == null ? masked : masked.withAlibi(alibi);
    }

    private Value linear(Value x, ModelWeights weights, Part part, int layer) {
        return g.named(weights.name(part, layer))
                .linear(x, weights.weight(part, layer), weights.bias(part, layer));
    }

    private Value norm(Value x, Part part, int layer) {
        return norm(x, part, layer, 1);
    }

    /** Times a factor, of a norm without a bias. */
    private Value norm(Value x, Part part, int layer, float factor) {
        Weight gamma = gamma(part, layer, factor);
        return switch (d.norms().kind()) {
            case LAYER -> named(part, layer).layerNorm(x, gamma, w.bias(part, layer), d.norms().epsilon());
            case RMS -> named(part, layer).rmsNorm(x, gamma, d.norms().epsilon());
        };
    }

    private Value headNorm(Value x, int heads, Part part, int layer) {
        return named(part, layer).headNorm(heads, x, gamma(part, layer, 1), d.norms().epsilon());
    }

    private Weight gamma(Part part, int layer, float factor) {
        return NormWeights.of(w.weight(part, layer), d.norms().gammaFromOne(), factor);
    }

    private Graph.Builder named(Part part, int layer) {
        return g.named(w.name(part, layer));
    }

    private static void requireNoSoftcap(Description d) {
        if (d.head() instanceof Head.NextToken(_, float softcap) && softcap > 0) {
            throw new UnsupportedOperationException("no op of a graph computes a softcap of logits");
        }
    }
}
