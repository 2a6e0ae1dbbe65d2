package dev.fovea.model.family;

import com.google.gson.JsonObject;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Encoders in GGUF files, as llama.cpp writes them: the metadata of an architecture as the {@code config.json} of its
 * family, and the names of its tensors.
 */
public final class GgufEncoder {
    private static final List<String> ARCHITECTURES = List.of("bert", "nomic-bert", "jina-bert-v2", "modern-bert");

    /** Tensors of heads, which vectors do not need. */
    private static final String HEADS = "cls";

    static final Map<Part, String> NAMES = Map.ofEntries(
            Map.entry(Part.WORDS, "token_embd"),
            Map.entry(Part.POSITIONS, "position_embd"),
            Map.entry(Part.TOKEN_TYPES, "token_types"),
            Map.entry(Part.EMBEDDING_NORM, "token_embd_norm"),
            Map.entry(Part.QUERY, "blk.#.attn_q"),
            Map.entry(Part.KEY, "blk.#.attn_k"),
            Map.entry(Part.VALUE, "blk.#.attn_v"),
            Map.entry(Part.ATTENTION_OUTPUT, "blk.#.attn_output"),
            Map.entry(Part.ATTENTION_NORM, "blk.#.attn_output_norm"),
            Map.entry(Part.GATE, "blk.#.ffn_gate"),
            Map.entry(Part.UP, "blk.#.ffn_up"),
            Map.entry(Part.DOWN, "blk.#.ffn_down"),
            Map.entry(Part.FEED_FORWARD_NORM, "blk.#.layer_output_norm"),
            Map.entry(Part.FINAL_NORM, "output_norm"));

    private final GgufWeights file;
    private final GgufMetadata metadata;
    private final GgufFields fields;
    private final String architecture;
    private final JsonObject json = new JsonObject();

    private GgufEncoder(GgufWeights file) throws FormatException {
        this.file = file;
        this.metadata = file.metadata();
        this.fields = GgufFields.of(file, ARCHITECTURES);
        this.architecture = fields.architecture();
    }

    /**
     * The configuration of the encoder in a file.
     *
     * @throws FormatException if it is not that of an encoder of a known architecture, a value makes no sense, or there
     *     are tensors that the architecture does not use
     */
    public static EncoderConfig read(GgufWeights file) throws FormatException {
        return GgufT5.isEncoder(file) ? GgufT5.encoder(file) : GgufDecoder.hasLayers(file) ? GgufDecoder.encoder(file) : new GgufEncoder(file).read();
    }

    private EncoderConfig read() throws FormatException {
        refuseUnsupported();
        WeightNames names = switch (architecture) {
            case "bert" -> bert();
            case "nomic-bert" -> nomicBert();
            case "jina-bert-v2" -> jinaBert();
            default -> modernBert();
        };
        EncoderConfig config = EncoderConfig.of(JsonFile.of(file.file(), "metadata", json), names, UnaryOperator.identity());
        fields.requireAllUsed(config.encoder(), names, name -> name.equals(HEADS) || name.startsWith(HEADS + '.'));
        return config;
    }

    private void refuseUnsupported() throws FormatException {
        refuse("split.count", metadata.integer("split.count", 0, 0) > 1, "one file for all tensors");
        String causal = key("attention.causal");
        refuse(causal, metadata.bool(causal, false), "false, as encoders have it");
        String scaling = key("rope.scaling.type");
        refuse(scaling, !metadata.string(scaling, "none").equals("none"), "\"none\"");
        String experts = key("expert_count");
        refuse(experts, metadata.integer(experts, 0, 0) > 0, "0");
        String keyHeads = key("attention.head_count_kv");
        int heads = metadata.integer(key("attention.head_count"), 1);
        refuse(keyHeads, metadata.integer(keyHeads, 1, heads) != heads, "as many as there are heads, " + heads);
        int headDim = metadata.integer(key("embedding_length"), 1) / heads;
        for (String length : List.of("attention.key_length", "attention.value_length", "rope.dimension_count")) {
            refuse(key(length), metadata.integer(key(length), 1, headDim) != headDim, "head_dim " + headDim);
        }
    }

    private void refuse(String key, boolean wrong, String expected) throws FormatException {
        fields.refuse(key, wrong, expected);
    }

    private WeightNames bert() throws FormatException {
        sizes("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "layer_norm_eps");
        json.addProperty("model_type", "bert");
        json.addProperty("max_position_embeddings", rows("position_embd.weight"));
        json.addProperty("type_vocab_size", rows("token_types.weight"));
        return names(Map.of());
    }

    private WeightNames nomicBert() throws FormatException {
        sizes("n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon");
        json.addProperty("model_type", "nomic_bert");
        json.addProperty("n_positions", metadata.integer(key("context_length"), 1));
        json.addProperty("type_vocab_size", file.contains("token_types.weight") ? rows("token_types.weight") : 0);
        json.addProperty("activation_function", file.contains("blk.0.ffn_gate.weight") ? "swiglu" : "gelu");
        json.addProperty("qkv_proj_bias", file.contains("blk.0.attn_qkv.bias"));
        json.addProperty("mlp_fc1_bias", file.contains("blk.0.ffn_up.bias"));
        json.addProperty("mlp_fc2_bias", file.contains("blk.0.ffn_down.bias"));
        json.addProperty("rotary_emb_fraction", 1);
        json.addProperty("rotary_emb_base", metadata.number(key("rope.freq_base")));
        return names(Map.of());
    }

    private WeightNames jinaBert() throws FormatException {
        sizes("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "layer_norm_eps");
        String slope = key("attention.max_alibi_bias");
        refuse(slope, metadata.has(slope) && metadata.number(slope) != 8, "8");
        json.addProperty("model_type", "bert");
        json.addProperty("position_embedding_type", "alibi");
        json.addProperty("feed_forward_type", "geglu");
        json.addProperty("max_position_embeddings", metadata.integer(key("context_length"), 1));
        json.addProperty("type_vocab_size", rows("token_types.weight"));
        WeightNames names = names(Map.of());
        return file.contains("blk.0.ffn_gate.weight") ? names : names.withFused("blk.#.ffn_up", Part.GATE, Part.UP);
    }

    private WeightNames modernBert() throws FormatException {
        sizes("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "norm_eps");
        float base = metadata.number(key("rope.freq_base"));
        json.addProperty("model_type", "modernbert");
        json.addProperty("max_position_embeddings", metadata.integer(key("context_length"), 1));
        json.addProperty("global_rope_theta", base);
        json.addProperty("local_rope_theta",
                metadata.has(key("rope.freq_base_swa")) ? metadata.number(key("rope.freq_base_swa")) : base);
        json.addProperty("local_attention", metadata.integer(key("attention.sliding_window"), 1));
        json.addProperty("global_attn_every_n_layers", metadata.integer(key("attention.sliding_window_pattern"), 1, 3));
        return names(Map.of(Part.ATTENTION_NORM, "blk.#.attn_norm", Part.FEED_FORWARD_NORM, "blk.#.ffn_norm"))
                .withFused("blk.#.ffn_up", Part.GATE, Part.UP);
    }

    /** The sizes that all architectures have, by the names of the family's fields. */
    private void sizes(String width, String layers, String heads, String inner, String epsilon) throws FormatException {
        json.addProperty("vocab_size", rows("token_embd.weight"));
        json.addProperty(width, metadata.integer(key("embedding_length"), 1));
        json.addProperty(layers, fields.blocks());
        json.addProperty(heads, metadata.integer(key("attention.head_count"), 1));
        json.addProperty(inner, metadata.integer(key("feed_forward_length"), 1));
        json.addProperty(epsilon, metadata.number(key("attention.layer_norm_epsilon")));
    }

    private String key(String name) {
        return fields.key(name);
    }

    private long rows(String name) throws FormatException {
        return fields.rows(name);
    }

    private WeightNames names(Map<Part, String> others) {
        Map<Part, String> all = new EnumMap<>(NAMES);
        all.putAll(others);
        WeightNames names = WeightNames.of(all);
        return file.contains("blk.0.attn_qkv.weight")
                ? names.withFused("blk.#.attn_qkv", Part.QUERY, Part.KEY, Part.VALUE) : names;
    }
}
