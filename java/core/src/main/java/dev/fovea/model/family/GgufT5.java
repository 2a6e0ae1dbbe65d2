package dev.fovea.model.family;

import com.google.gson.JsonObject;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.GgufWriter;
import dev.fovea.weights.Weights;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** T5 in GGUF files, as llama.cpp writes it: its metadata as a {@code config.json}, and the names of its tensors. */
public final class GgufT5 {
    private static final String BOTH = "t5";
    private static final String ENCODER = "t5encoder";

    private static final Map<Part, String> NAMES = Map.ofEntries(
            Map.entry(Part.DISTANCES, "blk.0.attn_rel_b"),
            Map.entry(Part.QUERY, "blk.#.attn_q"),
            Map.entry(Part.KEY, "blk.#.attn_k"),
            Map.entry(Part.VALUE, "blk.#.attn_v"),
            Map.entry(Part.ATTENTION_OUTPUT, "blk.#.attn_o"),
            Map.entry(Part.ATTENTION_NORM, "blk.#.attn_norm"),
            Map.entry(Part.CROSS_QUERY, "blk.#.cross_attn_q"),
            Map.entry(Part.CROSS_KEY, "blk.#.cross_attn_k"),
            Map.entry(Part.CROSS_VALUE, "blk.#.cross_attn_v"),
            Map.entry(Part.CROSS_OUTPUT, "blk.#.cross_attn_o"),
            Map.entry(Part.CROSS_NORM, "blk.#.cross_attn_norm"),
            Map.entry(Part.GATE, "blk.#.ffn_gate"),
            Map.entry(Part.UP, "blk.#.ffn_up"),
            Map.entry(Part.DOWN, "blk.#.ffn_down"),
            Map.entry(Part.FEED_FORWARD_NORM, "blk.#.ffn_norm"),
            Map.entry(Part.FINAL_NORM, "output_norm"));

    private final GgufWeights file;
    private final GgufMetadata metadata;
    private final GgufFields fields;
    private final JsonObject json = new JsonObject();

    private GgufT5(GgufWeights file, String architecture) throws FormatException {
        this.file = file;
        this.metadata = file.metadata();
        this.fields = GgufFields.of(file, List.of(architecture));
    }

    /** Whether a file is that of an encoder and a decoder. */
    public static boolean hasDecoder(GgufWeights file) throws FormatException {
        return file.metadata().string("general.architecture").equals(BOTH);
    }

    /** Whether a file is that of an encoder alone. */
    static boolean isEncoder(GgufWeights file) throws FormatException {
        return file.metadata().string("general.architecture").equals(ENCODER);
    }

    /**
     * The configuration of both.
     *
     * @throws FormatException if a value makes no sense, or there are tensors that are not used
     */
    public static EncoderDecoderConfig read(GgufWeights file) throws FormatException {
        var t5 = new GgufT5(file, BOTH);
        t5.readFields();
        int blocks = t5.fields.blocks();
        int decoderBlocks = t5.metadata.integer(t5.fields.key("decoder_block_count"), 1, blocks);
        t5.fields.refuse(t5.fields.key("decoder_block_count"), decoderBlocks > file.names().size(),
                "at most the " + file.names().size() + " tensors, got " + decoderBlocks);
        t5.json.addProperty("num_decoder_layers", decoderBlocks);
        JsonFile config = JsonFile.of(file.file(), "metadata", t5.json);
        WeightNames encoder = names("enc.");
        WeightNames decoder = names("dec.");
        var both = EncoderDecoderConfig.of(config, encoder, decoder,
                t5.metadata.integer(t5.fields.key("decoder_start_token_id"), 0));
        Set<String> used = new HashSet<>();
        for (boolean reads : new boolean[] {true, false}) {
            WeightShapes.<RuntimeException>visit(reads ? both.encoder(1) : both.decoder(1), (part, layer, bias, _) ->
                    used.addAll((reads ? encoder : decoder).candidates(part, layer, bias)));
        }
        t5.fields.requireAllUsed(both.encoder(1), encoder, name -> used.contains(name) || name.endsWith("attn_rel_b.weight"));
        return both;
    }

    /**
     * The tensors of an encoder and a decoder, whose metadata are put into {@code out}.
     *
     * @throws FormatException if GGUF has no way to say what the configuration says
     */
    public static Map<String, GgufModelWriter.Tensor> write(EncoderDecoderConfig config, Weights source, GgufWriter out)
            throws FormatException {
        Description encoder = config.encoder(config.positions());
        Description decoder = config.decoder(config.positions());
        requireSayable(config.json(), encoder);
        out.put("general.architecture", BOTH);
        out.put("t5.context_length", config.positions());
        out.put("t5.embedding_length", encoder.width());
        out.put("t5.feed_forward_length", encoder.feedForward().width());
        out.put("t5.block_count", encoder.layers());
        out.put("t5.decoder_block_count", decoder.layers());
        out.put("t5.decoder_start_token_id", config.start());
        out.put("t5.attention.head_count", encoder.attention().heads());
        out.put("t5.attention.key_length", encoder.attention().headDim());
        out.put("t5.attention.value_length", encoder.attention().headDim());
        out.put("t5.attention.relative_buckets_count", ((Positions.RelativeBias) encoder.positions()).buckets());
        out.put("t5.attention.layer_norm_epsilon", (float) encoder.norms().epsilon());
        out.put("t5.attention.layer_norm_rms_epsilon", (float) encoder.norms().epsilon());
        Map<String, GgufModelWriter.Tensor> tensors = new LinkedHashMap<>();
        put(tensors, encoder, config.encoderWeights(encoder, source), names("enc."));
        put(tensors, decoder, config.storedDecoderWeights(decoder, source), names("dec."));
        return tensors;
    }

    private static void requireSayable(JsonFile json, Description encoder) throws FormatException {
        Activation expected = encoder.feedForward().gated() ? Activation.GELU_TANH : Activation.RELU;
        if (encoder.feedForward().activation() != expected) {
            throw json.wrong("feed_forward_proj", "relu or gated-gelu, which GGUF means");
        }
        if (((Positions.RelativeBias) encoder.positions()).maxDistance() != 128) {
            throw json.wrong("relative_attention_max_distance", "128, which GGUF means");
        }
        if (json.bool("scale_decoder_outputs", T5Family.isTied(json)) != T5Family.isTied(json)) {
            throw json.wrong("scale_decoder_outputs", "that of models whose logits are tied to the embeddings, or not, which GGUF means");
        }
    }

    private static void put(Map<String, GgufModelWriter.Tensor> tensors, Description d, ModelWeights weights, WeightNames names) {
        WeightShapes.<RuntimeException>visit(d, (part, layer, bias, _) -> tensors.putIfAbsent(names.of(part, layer) + ".weight",
                new GgufModelWriter.Tensor(List.of(weights.weight(part, layer)), 0, 0)));
    }

    /** The configuration of an encoder alone. */
    static EncoderConfig encoder(GgufWeights file) throws FormatException {
        var t5 = new GgufT5(file, ENCODER);
        t5.readFields();
        EncoderConfig config = EncoderConfig.of(JsonFile.of(file.file(), "metadata", t5.json), names("enc."),
                UnaryOperator.identity());
        t5.fields.requireAllUsed(config.encoder(), names("enc."), name -> name.endsWith("attn_rel_b.weight"));
        return config;
    }

    private void readFields() throws FormatException {
        fields.refuse("split.count", metadata.integer("split.count", 0, 0) > 1, "one file for all tensors");
        int heads = metadata.integer(fields.key("attention.head_count"), 1);
        int width = metadata.integer(fields.key("embedding_length"), 1);
        int keyLength = metadata.integer(fields.key("attention.key_length"), 1, Math.max(1, width / heads));
        fields.refuse(fields.key("attention.head_count_kv"),
                metadata.integer(fields.key("attention.head_count_kv"), 1, heads) != heads, "as many as there are heads, " + heads);
        fields.refuse(fields.key("attention.value_length"),
                metadata.integer(fields.key("attention.value_length"), 1, keyLength) != keyLength,
                "as many as a key has, " + keyLength);
        json.addProperty("model_type", "t5");
        json.addProperty("vocab_size", fields.rows("token_embd.weight"));
        json.addProperty("d_model", width);
        json.addProperty("d_kv", keyLength);
        json.addProperty("num_heads", heads);
        json.addProperty("num_layers", fields.blocks());
        json.addProperty("d_ff", metadata.integer(fields.key("feed_forward_length"), 1));
        json.addProperty("n_positions", metadata.integer(fields.key("context_length"), 1));
        json.addProperty("relative_attention_num_buckets", metadata.integer(fields.key("attention.relative_buckets_count"), 4));
        json.addProperty("layer_norm_epsilon", metadata.number(fields.key("attention.layer_norm_rms_epsilon")));
        json.addProperty("feed_forward_proj", file.contains("enc.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu");
        json.addProperty("tie_word_embeddings", !file.contains("output.weight"));
    }

    private static WeightNames names(String stack) {
        Map<Part, String> names = new EnumMap<>(Part.class);
        NAMES.forEach((part, name) -> names.put(part, stack + name));
        names.put(Part.WORDS, "token_embd");
        names.put(Part.OUTPUT, "output");
        return WeightNames.of(names);
    }
}
