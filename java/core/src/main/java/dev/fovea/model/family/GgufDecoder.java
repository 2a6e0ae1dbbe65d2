package dev.fovea.model.family;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Language models in GGUF files, as llama.cpp writes them: the metadata of an architecture as the {@code config.json} of
 * its family, and the names of its tensors. Where rows of queries and keys are in another order than in the family's own
 * files, neighbours are turned instead of halves; norms of Gemma have 1 added already.
 */
public final class GgufDecoder {
    private static final List<String> ARCHITECTURES =
            List.of("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "smollm3", "gpt2");
    static final String GEMMA_EMBEDDING = "gemma-embedding";
    private static final String POOLING = "pooling_type";
    private static final String LABELS = "classifier.output_labels";
    /** As llama.cpp numbers poolings: not one, but a score. */
    private static final int RANK = 4;
    private static final String JUDGING = "cls.output.weight";
    private static final String FACTORS = "rope_freqs.weight";
    private static final String LONG = "rope_factors_long.weight";
    private static final String SHORT = "rope_factors_short.weight";

    static final Map<Part, String> NAMES = Map.ofEntries(
            Map.entry(Part.WORDS, "token_embd"),
            Map.entry(Part.POSITIONS, "position_embd"),
            Map.entry(Part.QUERY, "blk.#.attn_q"),
            Map.entry(Part.KEY, "blk.#.attn_k"),
            Map.entry(Part.VALUE, "blk.#.attn_v"),
            Map.entry(Part.QUERY_NORM, "blk.#.attn_q_norm"),
            Map.entry(Part.KEY_NORM, "blk.#.attn_k_norm"),
            Map.entry(Part.ATTENTION_OUTPUT, "blk.#.attn_output"),
            Map.entry(Part.ATTENTION_NORM, "blk.#.attn_norm"),
            Map.entry(Part.ATTENTION_POST_NORM, "blk.#.post_attention_norm"),
            Map.entry(Part.GATE, "blk.#.ffn_gate"),
            Map.entry(Part.UP, "blk.#.ffn_up"),
            Map.entry(Part.DOWN, "blk.#.ffn_down"),
            Map.entry(Part.FEED_FORWARD_NORM, "blk.#.ffn_norm"),
            Map.entry(Part.FEED_FORWARD_POST_NORM, "blk.#.post_ffw_norm"),
            Map.entry(Part.FINAL_NORM, "output_norm"),
            Map.entry(Part.OUTPUT, "output"));

    /** Keys that change no result of the architectures above. */
    private static final List<String> WITHOUT_EFFECT = List.of("vocab_size", "rope.scaling.finetuned");

    private final GgufWeights file;
    private final GgufMetadata metadata;
    private final GgufFields fields;
    private final String architecture;
    private final JsonObject json = new JsonObject();
    private final Set<String> read = new HashSet<>();

    private GgufDecoder(GgufWeights file, List<String> architectures) throws FormatException {
        this.file = file;
        this.metadata = file.metadata();
        this.fields = GgufFields.of(file, architectures);
        this.architecture = fields.architecture();
    }

    /** Whether a file is that of a language model that writes, and not of one whose hidden states are pooled. */
    public static boolean isDecoder(GgufWeights file) throws FormatException {
        String architecture = file.metadata().string("general.architecture");
        return ARCHITECTURES.contains(architecture) && file.metadata().integer(architecture + '.' + POOLING, 0, 0) == 0;
    }

    /** Whether a file is that of a language model's layers, as an encoder or not. */
    static boolean hasLayers(GgufWeights file) throws FormatException {
        String architecture = file.metadata().string("general.architecture");
        return architecture.equals(GEMMA_EMBEDDING) || ARCHITECTURES.contains(architecture);
    }

    /**
     * The configuration of the language model in a file.
     *
     * @throws FormatException if it is not that of a known architecture, a value makes no sense, or there are keys of the
     *     architecture or tensors that are not read
     */
    public static DecoderConfig read(GgufWeights file) throws FormatException {
        var decoder = new GgufDecoder(file, ARCHITECTURES);
        decoder.fields.refuse(decoder.key("attention.causal"), !file.metadata().bool(decoder.key("attention.causal"), true), "true");
        decoder.fields.refuse(decoder.key(POOLING), !isDecoder(file), "none, of a language model that writes");
        decoder.readFields();
        WeightNames names = decoder.names();
        DecoderConfig config = DecoderConfig.of(decoder.config(), names, decoder.refit());
        decoder.fields.requireAllUsed(config.decoder(config.positions()), names, Set.of(FACTORS, LONG, SHORT)::contains);
        return config;
    }

    /** The configuration of one whose hidden states are pooled: the layers of a language model as an encoder. */
    static EncoderConfig encoder(GgufWeights file) throws FormatException {
        List<String> all = Stream.concat(ARCHITECTURES.stream(), Stream.of(GEMMA_EMBEDDING)).toList();
        var decoder = new GgufDecoder(file, all);
        decoder.fields.refuse(decoder.key(POOLING), file.metadata().integer(decoder.key(POOLING), 0, 0) == 0,
                "how hidden states are pooled; one without it is a language model that writes");
        return decoder.encoder(decoder.architecture.equals(GEMMA_EMBEDDING) ? Set.of("dense_2.weight", "dense_3.weight")
                : Set.of(FACTORS, LONG, SHORT, "output.weight"));
    }

    private EncoderConfig encoder(Set<String> others) throws FormatException {
        readFields();
        boolean causal = metadata.bool(key("attention.causal"), true);
        json.addProperty("is_causal", causal || architecture.equals(GEMMA_EMBEDDING));
        WeightNames names = names();
        EncoderConfig config = EncoderConfig.of(config(), names, refit());
        fields.requireAllUsed(config.encoder(), names, others::contains);
        return config;
    }

    /** Whether a file is that of a language model of which only the scores of documents are left. */
    public static boolean isJudge(GgufWeights file) throws FormatException {
        String architecture = file.metadata().string("general.architecture");
        return ARCHITECTURES.contains(architecture) && file.metadata().integer(architecture + '.' + POOLING, 0, 0) == RANK;
    }

    /**
     * The layers of a language model that says how well documents answer queries, a whole one or one of such scores alone.
     *
     * @throws FormatException also if it is of another architecture than Qwen3-Reranker, or its scores are not of yes and no
     */
    public static EncoderConfig judge(GgufWeights file) throws FormatException {
        var decoder = new GgufDecoder(file, List.of("qwen3"));
        int pooling = file.metadata().integer(decoder.key(POOLING), 0, 0);
        decoder.fields.refuse(decoder.key(POOLING), pooling != 0 && pooling != RANK, "none or 4 (rank), of a reranker, got " + pooling);
        decoder.read.add(LABELS);
        List<String> labels = file.metadata().has(decoder.key(LABELS)) ? file.metadata().strings(decoder.key(LABELS)) : List.of("yes", "no");
        decoder.fields.refuse(decoder.key(LABELS), !labels.equals(List.of("yes", "no")), "yes and no, got " + labels);
        return decoder.encoder(Set.of(FACTORS, LONG, SHORT, "output.weight", JUDGING));
    }

    /** The head that compares the two in a file of scores alone, whose matrix has a row for each. */
    public static EncoderConfig.Weighted judged(EncoderConfig config, Description description, Weights file)
            throws FormatException {
        return config.judge(description, "cls.output", 2, 0, 1, file);
    }

    private JsonFile config() throws FormatException {
        return JsonFile.of(file.file(), "metadata", json);
    }

    private void readFields() throws FormatException {
        fields.refuse("split.count", metadata.integer("split.count", 0, 0) > 1, "one file for all tensors");
        read.add(POOLING);
        fields.refuse(key("expert_count"), metadata.integer(key("expert_count"), 0, 0) > 0, "0");
        fields.refuse(key("expert_used_count"), metadata.integer(key("expert_used_count"), 0, 0) > 0, "0");
        if (architecture.equals("gpt2")) {
            gpt2();
        } else {
            common();
            of(architecture);
        }
        for (String key : metadata.keys()) {
            String name = key.startsWith(architecture + '.') ? key.substring(architecture.length() + 1) : null;
            fields.refuse(key, name != null && !read.contains(name) && !WITHOUT_EFFECT.contains(name),
                    "no such key: nothing of " + architecture + " is known by it");
        }
    }

    private void of(String name) throws FormatException {
        switch (name) {
            case "llama" -> {
                boolean window = metadata.has(key("attention.sliding_window"));
                json.addProperty("model_type", window ? LlamaFamily.MISTRAL : LlamaFamily.LLAMA);
                integer("sliding_window", "attention.sliding_window");
                json.addProperty("attention_bias", file.contains("blk.0.attn_q.bias"));
                json.addProperty("mlp_bias", file.contains("blk.0.ffn_up.bias"));
            }
            case "gemma2", "gemma3", GEMMA_EMBEDDING -> gemma();
            case "phi3" -> {
                json.addProperty("model_type", name);
                integer("sliding_window", "attention.sliding_window");
            }
            case "smollm3" -> {
                json.addProperty("model_type", name);
                json.addProperty("attention_bias", file.contains("blk.0.attn_q.bias"));
                json.addProperty("mlp_bias", file.contains("blk.0.ffn_up.bias"));
            }
            default -> {
                json.addProperty("model_type", name);
                json.addProperty("attention_bias", name.equals("qwen3") && file.contains("blk.0.attn_q.bias"));
            }
        }
    }

    private void common() throws FormatException {
        int heads = metadata.integer(key("attention.head_count"), 1);
        int width = metadata.integer(key("embedding_length"), 1);
        int headDim = metadata.integer(key("attention.key_length"), 1, Math.max(1, width / heads));
        int turned = metadata.integer(key("rope.dimension_count"), 1, headDim);
        int values = metadata.integer(key("attention.value_length"), 1, headDim);
        fields.refuse(key("attention.value_length"), values != headDim, "as many as a key has, " + headDim);
        fields.refuse(key("rope.dimension_count"), turned > headDim, "at most a head's " + headDim + " elements, got " + turned);
        read.addAll(List.of("attention.head_count", "embedding_length", "attention.key_length", "attention.value_length",
                "rope.dimension_count", "attention.causal", "expert_count", "expert_used_count", "block_count",
                "attention.head_count_kv"));
        json.addProperty("vocab_size", fields.rows("token_embd.weight"));
        json.addProperty("hidden_size", width);
        json.addProperty("num_hidden_layers", fields.blocks());
        json.addProperty("num_attention_heads", heads);
        json.addProperty("num_key_value_heads", metadata.integer(key("attention.head_count_kv"), 1, heads));
        json.addProperty("head_dim", headDim);
        json.addProperty("partial_rotary_factor", turned / (double) headDim);
        json.addProperty("intermediate_size", number("feed_forward_length"));
        json.addProperty("max_position_embeddings", number("context_length"));
        json.addProperty("tie_word_embeddings", !file.contains("output.weight"));
        decimal("rms_norm_eps", "attention.layer_norm_rms_epsilon");
        decimal("rope_theta", "rope.freq_base");
        if (!json.has("rope_theta")) {
            json.addProperty("rope_theta", 10_000);
        }
        scaling();
    }

    private void scaling() throws FormatException {
        read.addAll(List.of("rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length",
                "rope.scaling.attn_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow"));
        String type = metadata.string(key("rope.scaling.type"), "none");
        var scaling = new JsonObject();
        float attention = orElse("rope.scaling.attn_factor", 1);
        if (file.contains(FACTORS) || file.contains(LONG) || file.contains(SHORT)) {
            fields.refuse(key("rope.scaling.type"), !List.of("none", "longrope").contains(type),
                    "none, as there are factors of their own, got \"" + type + '"');
            scaling.addProperty("rope_type", "longrope");
            scaling.add("short_factor", floats(file.contains(FACTORS) ? FACTORS : SHORT));
            scaling.add("long_factor", floats(file.contains(FACTORS) ? FACTORS : LONG));
            scaling.addProperty("attention_factor", attention);
            scaling.addProperty("factor", 1);
        } else if (type.equals("linear") || type.equals("yarn")) {
            float factor = orElse("rope.scaling.factor", 1);
            scaling.addProperty("rope_type", type);
            scaling.addProperty("factor", factor);
            scaling.addProperty("beta_fast", orElse("rope.scaling.yarn_beta_fast", 32));
            scaling.addProperty("beta_slow", orElse("rope.scaling.yarn_beta_slow", 1));
            scaling.addProperty("attention_factor", attention * (1 + 0.1 * Math.log(Math.max(1, factor))));
        } else {
            fields.refuse(key("rope.scaling.type"), !type.equals("none"), "none, linear or yarn, got \"" + type + '"');
            return;
        }
        if (metadata.has(key("rope.scaling.original_context_length"))) {
            scaling.addProperty("original_max_position_embeddings",
                    metadata.integer(key("rope.scaling.original_context_length"), 1));
        }
        json.add("rope_scaling", scaling);
    }

    private JsonArray floats(String tensor) throws FormatException {
        if (!file.contains(tensor)) {
            throw new FormatException(file.file(), -1, tensor, "no such tensor, beside its other half");
        }
        Weight weight = file.weight(tensor);
        var values = new float[(int) Math.min(weight.size(weight.rank() - 1), 1 << 16)];
        weight.read(0, 0, values.length, values, 0);
        var array = new JsonArray();
        for (float value : values) {
            array.add(value);
        }
        return array;
    }

    private void gemma() throws FormatException {
        boolean third = !architecture.equals("gemma2");
        if (architecture.equals(GEMMA_EMBEDDING)) {
            json.addProperty("use_bidirectional_attention", true);
            read.addAll(List.of("dense_2_feat_in", "dense_2_feat_out", "dense_3_feat_in", "dense_3_feat_out"));
        }
        json.addProperty("model_type", third ? "gemma3_text" : architecture);
        integer("sliding_window", "attention.sliding_window");
        integer("sliding_window_pattern", "attention.sliding_window_pattern");
        fields.refuse(key("attention.sliding_window_pattern"),
                !third && json.has("sliding_window_pattern") && json.get("sliding_window_pattern").getAsInt() != 2, "2");
        decimal("rope_local_base_freq", "rope.freq_base_swa");
        decimal("attn_logit_softcapping", "attn_logit_softcapping");
        decimal("final_logit_softcapping", "final_logit_softcapping");
        // The largest of both scale by the width, and files do not say so: llama.cpp knows them by their layers.
        boolean largest = json.get("num_hidden_layers").getAsInt() == (third ? 62 : 46);
        json.addProperty("query_pre_attn_scalar", largest
                ? json.get("hidden_size").getAsInt() / json.get("num_attention_heads").getAsInt()
                : json.get("head_dim").getAsInt());
    }

    private void gpt2() throws FormatException {
        read.addAll(List.of("embedding_length", "block_count", "attention.head_count", "attention.head_count_kv",
                "context_length", "attention.causal", "expert_count", "expert_used_count", "attention.key_length",
                "attention.value_length", "rope.dimension_count"));
        int heads = metadata.integer(key("attention.head_count"), 1);
        fields.refuse(key("attention.head_count_kv"), metadata.integer(key("attention.head_count_kv"), 1, heads) != heads,
                "as many as there are heads, " + heads);
        json.addProperty("model_type", architecture);
        json.addProperty("vocab_size", fields.rows("token_embd.weight"));
        json.addProperty("n_positions", fields.rows("position_embd.weight"));
        json.addProperty("n_embd", metadata.integer(key("embedding_length"), 1));
        json.addProperty("n_layer", fields.blocks());
        json.addProperty("n_head", heads);
        json.addProperty("n_inner", number("feed_forward_length"));
        json.addProperty("tie_word_embeddings", !file.contains("output.weight"));
        decimal("layer_norm_epsilon", "attention.layer_norm_epsilon");
    }

    private WeightNames names() {
        WeightNames names = WeightNames.of(new EnumMap<>(NAMES));
        if (file.contains("blk.0.attn_qkv.weight")) {
            names = names.withFused("blk.#.attn_qkv", Part.QUERY, Part.KEY, Part.VALUE);
        }
        boolean fused = architecture.equals("phi3") && !file.contains("blk.0.ffn_gate.weight");
        return fused ? names.withFused("blk.#.ffn_up", Part.GATE, Part.UP) : names;
    }

    private UnaryOperator<Description> refit() {
        return switch (architecture) {
            case "llama", "smollm3" -> d -> d.withPositions(interleaved(d.positions()));
            case "gemma2", "gemma3", GEMMA_EMBEDDING -> d -> d.withNorms(new Norms(d.norms().kind(), d.norms().place(), d.norms().epsilon(),
                    false, false, false, true));
            default -> UnaryOperator.identity();
        };
    }

    private static Positions interleaved(Positions positions) {
        return switch (positions) {
            case Positions.Rotary(double theta, int dim, _, RopeScaling scaling) ->
                new Positions.Rotary(theta, dim, Rope.Layout.INTERLEAVED, scaling);
            case Positions.RotaryInTurn(var kinds) ->
                new Positions.RotaryInTurn(kinds.stream().map(GgufDecoder::interleaved).toList());
            default -> positions;
        };
    }

    private int number(String name) throws FormatException {
        read.add(name);
        return metadata.integer(key(name), 1);
    }

    /** A whole number, if it is there. */
    private void integer(String field, String name) throws FormatException {
        read.add(name);
        if (metadata.has(key(name))) {
            json.addProperty(field, metadata.integer(key(name), 1));
        }
    }

    /** A number, if it is there. */
    private void decimal(String field, String name) throws FormatException {
        read.add(name);
        if (metadata.has(key(name))) {
            json.addProperty(field, metadata.number(key(name)));
        }
    }

    private float orElse(String name, float absent) throws FormatException {
        return metadata.has(key(name)) ? metadata.number(key(name)) : absent;
    }

    private String key(String name) {
        return fields.key(name);
    }
}
