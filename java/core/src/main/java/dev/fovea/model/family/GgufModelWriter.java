package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWriter;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model is, put into a GGUF file as llama.cpp's converter does: sizes as metadata, and its weights by the names of the
 * architecture. Where llama.cpp turns neighbours, rows of queries and keys change places; norms of Gemma have 1 added.
 */
public final class GgufModelWriter {
    /**
     * A tensor of the file: rows of one weight, or of several below each other.
     *
     * @param parts the weights
     * @param heads of whose rows halves become neighbours; 0 for none
     * @param addition to every value
     */
    public record Tensor(List<Weight> parts, int heads, float addition) {
        /** [rows of all parts, columns], or [elements]. */
        public Shape shape() {
            Weight first = parts.getFirst();
            return first.rank() == 1 && parts.size() == 1 ? first.shape() : first.rank() == 1
                    ? Shape.of(parts.stream().mapToLong(part -> part.size(0)).sum())
                    : Shape.of(parts.stream().mapToLong(part -> part.size(0)).sum(), first.size(1));
        }

        /** As a writer reads it. */
        public void read(long row, long column, int count, float[] target) {
            if (shape().rank() == 1) {
                for (int i = 0; i < count; i++) {
                    readRow(parts.getFirst().rank() == 1 ? place(column + i) : column + i, target, i);
                }
            } else {
                long at = place(row);
                int part = 0;
                while (at >= parts.get(part).size(0)) {
                    at -= parts.get(part++).size(0);
                }
                parts.get(part).read(at, column, count, target, 0);
            }
            for (int i = 0; addition != 0 && i < count; i++) {
                target[i] += addition;
            }
        }

        private void readRow(long element, float[] target, int i) {
            long at = element;
            int part = 0;
            while (at >= parts.get(part).size(0)) {
                at -= parts.get(part++).size(0);
            }
            parts.get(part).read(0, at, 1, target, i);
        }

        /** The row, or element, of the weight that stands at a place of the file. */
        private long place(long row) {
            if (heads == 0) {
                return row;
            }
            long dim = (shape().size(0)) / heads;
            long within = row % dim;
            return row - within + within % 2 * (dim / 2) + within / 2;
        }
    }

    private final String architecture;
    private final GgufWriter out;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private GgufModelWriter(String architecture, GgufWriter out) {
        this.architecture = architecture;
        this.out = out;
    }

    /**
     * The tensors of a language model, whose metadata are put into {@code out}.
     *
     * @throws FormatException if GGUF has no way to say what the configuration says
     */
    public static Map<String, Tensor> decoder(DecoderConfig config, Weights file, GgufWriter out) throws IOException {
        JsonFile json = config.json();
        String architecture = architecture(json);
        var writer = new GgufModelWriter(architecture, out);
        Description d = config.decoder(config.positions());
        writer.sizes(d, config.positions());
        writer.attention(json, d);
        if (architecture.equals("gpt2")) {
            writer.put("attention.layer_norm_epsilon", d.norms().epsilon());
        } else {
            writer.put("attention.layer_norm_rms_epsilon", d.norms().epsilon());
            writer.rope(json, d);
        }
        writer.weights(d, config.weights(d, file), GgufDecoder.NAMES);
        writer.requireActivation(json, d);
        return writer.tensors;
    }

    /** The tensors of the layers of a language model whose hidden states are pooled, likewise. */
    public static Map<String, Tensor> embedder(EncoderConfig config, Weights file, GgufWriter out) throws IOException {
        JsonFile json = config.json();
        boolean bothWays = seesBothWays(json);
        String architecture = architecture(config);
        var writer = new GgufModelWriter(architecture, out);
        Description d = config.encoder();
        writer.sizes(d, d.maxTokens());
        writer.attention(json, d);
        writer.put("attention.layer_norm_rms_epsilon", d.norms().epsilon());
        writer.rope(json, d);
        if (!bothWays && !json.bool("is_causal", true)) {
            out.put(architecture + ".attention.causal", false);
        }
        writer.weights(d, config.weights(d, file).weights(), GgufDecoder.NAMES);
        writer.requireActivation(json, d);
        return writer.tensors;
    }

    /** The tensors of a BERT, likewise. */
    public static Map<String, Tensor> encoder(EncoderConfig config, Weights file, GgufWriter out) throws IOException {
        if (!config.modelType().equals("bert") || !(config.encoder().positions() instanceof Positions.Learned)) {
            throw config.json().wrong("model_type", "bert, or one of language models " + DecoderConfig.MODEL_TYPES
                    + ", or t5 with its decoder, which are written as GGUF");
        }
        Description d = config.encoder();
        var writer = new GgufModelWriter("bert", out);
        writer.sizes(d, d.maxTokens());
        writer.put("attention.layer_norm_epsilon", d.norms().epsilon());
        out.put("bert.attention.causal", false);
        writer.weights(d, config.weights(d, file).weights(), GgufEncoder.NAMES);
        if (d.feedForward().activation() != Activation.GELU_ERF) {
            throw config.json().wrong("hidden_act", "gelu, as BERT in GGUF has it");
        }
        return writer.tensors;
    }

    /** What llama.cpp calls the family of a language model. */
    public static String architecture(JsonFile json) throws FormatException {
        String type = json.string("model_type");
        return switch (type) {
            case LlamaFamily.MISTRAL -> LlamaFamily.LLAMA;
            case "gemma3_text" -> "gemma3";
            default -> type;
        };
    }

    /** What llama.cpp calls it where hidden states are pooled. */
    public static String architecture(EncoderConfig config) throws FormatException {
        return seesBothWays(config.json()) ? GgufDecoder.GEMMA_EMBEDDING : architecture(config.json());
    }

    private static boolean seesBothWays(JsonFile json) throws FormatException {
        return json.bool("use_bidirectional_attention", false);
    }

    private void put(String key, int value) {
        out.put(architecture + '.' + key, value);
    }

    private void put(String key, double value) {
        out.put(architecture + '.' + key, (float) value);
    }

    private void sizes(Description d, int positions) {
        out.put("general.architecture", architecture);
        put("context_length", positions);
        put("embedding_length", d.width());
        put("block_count", d.layers());
        put("feed_forward_length", d.feedForward().width());
        put("attention.head_count", d.attention().heads());
    }

    private void attention(JsonFile json, Description d) throws FormatException {
        var attention = d.attention();
        if (!architecture.equals("gpt2")) {
            put("attention.head_count_kv", attention.kvHeads());
            put("attention.key_length", attention.headDim());
            put("attention.value_length", attention.valueDim());
        }
        boolean gemma = architecture.startsWith("gemma");
        if (gemma) {
            float softcap = d.head() instanceof Head.NextToken next ? next.softcap() : 0;
            if (architecture.equals("gemma2") && (softcap == 0 || attention.softcap() == 0)) {
                throw json.wrong("attn_logit_softcapping", "a number, as final_logit_softcapping too: without them GGUF means those of"
                        + " Gemma 2");
            }
            if (attention.softcap() > 0) {
                put("attn_logit_softcapping", attention.softcap());
            }
            if (softcap > 0) {
                put("final_logit_softcapping", softcap);
            }
            int largest = architecture.equals("gemma2") ? 46 : 62;
            int scaledBy = d.layers() == largest ? d.width() / attention.heads() : attention.headDim();
            if (Math.abs(attention.scale() - 1 / Math.sqrt(scaledBy)) > 1e-6) {
                throw json.wrong("query_pre_attn_scalar", scaledBy + ", which GGUF means");
            }
        }
        windows(json, d);
    }

    private void windows(JsonFile json, Description d) throws FormatException {
        List<Integer> full = new ArrayList<>();
        int window = -1;
        for (int layer = 0; layer < d.layers(); layer++) {
            Mask mask = d.attention().mask(layer);
            if (mask.left() < 0) {
                full.add(layer);
            } else {
                // Where both sides are seen, the window is that of both.
                window = mask.right() == 0 ? mask.left() + 1 : json.integer("sliding_window", 1);
            }
        }
        if (window < 0 && !architecture.startsWith("gemma")) {
            return;
        }
        boolean gemma = architecture.startsWith("gemma");
        int every = full.isEmpty() ? d.layers() + 1 : full.getFirst() + 1;
        for (int layer = 0; layer < d.layers(); layer++) {
            boolean expected = gemma && (layer + 1) % every == 0;
            if (full.contains(layer) != expected) {
                throw json.wrong(json.has("layer_types") ? "layer_types" : "sliding_window", "windows in all layers"
                        + (gemma ? " but every one of a number" : "") + ", as GGUF has them");
            }
        }
        if (!List.of("llama", "phi3", "gemma2", "gemma3", GgufDecoder.GEMMA_EMBEDDING).contains(architecture) || gemma && window < 0
                || architecture.equals("gemma2") && every != 2) {
            throw json.wrong("sliding_window", "no windows but those that GGUF has for " + architecture);
        }
        put("attention.sliding_window", window);
        if (gemma && !architecture.equals("gemma2") && every != 6) {
            put("attention.sliding_window_pattern", every);
        }
    }

    private void rope(JsonFile json, Description d) throws FormatException {
        Positions.Rotary rotary = null;
        if (d.positions() instanceof Positions.Rotary one) {
            rotary = one;
        } else if (d.positions() instanceof Positions.RotaryInTurn(List<Positions> kinds)) {
            for (int layer = 0; layer < d.layers(); layer++) {
                Positions kind = kinds.get(layer % kinds.size());
                boolean full = d.attention().mask(layer).left() < 0;
                if (architecture.equals("smollm3") && kind instanceof Positions.None != ((layer + 1) % 4 == 0)) {
                    throw json.wrong("no_rope_layer_interval", "4, as GGUF has it");
                }
                if (kind instanceof Positions.Rotary one) {
                    if (architecture.startsWith("gemma") && !full) {
                        put("rope.freq_base_swa", one.theta());
                        rotary = rotary == null ? one : rotary;
                    } else {
                        rotary = one;
                    }
                }
            }
        }
        if (rotary == null) {
            throw json.wrong("model_type", "a model that turns queries and keys");
        }
        put("rope.freq_base", rotary.theta());
        put("rope.dimension_count", rotary.dim());
        scaling(json, rotary);
    }

    private void scaling(JsonFile json, Positions.Rotary rotary) throws FormatException {
        switch (rotary.scaling()) {
            case RopeScaling.None _ -> { }
            case RopeScaling.Linear(double factor) -> {
                out.put(architecture + ".rope.scaling.type", "linear");
                put("rope.scaling.factor", factor);
            }
            case RopeScaling.Yarn(double factor, int original, double fast, double slow, double attention) -> {
                out.put(architecture + ".rope.scaling.type", "yarn");
                put("rope.scaling.factor", factor);
                put("rope.scaling.original_context_length", original);
                put("rope.scaling.yarn_beta_fast", fast);
                put("rope.scaling.yarn_beta_slow", slow);
                put("rope.scaling.attn_factor", attention / (1 + 0.1 * Math.log(Math.max(1, factor))));
            }
            case RopeScaling.Llama3 scaling -> {
                double[] plain = new RopeScaling.None().frequencies(rotary.theta(), rotary.dim());
                double[] scaled = scaling.frequencies(rotary.theta(), rotary.dim());
                float[] factors = new float[plain.length];
                for (int i = 0; i < factors.length; i++) {
                    factors[i] = (float) (plain[i] / scaled[i]);
                }
                tensors.put("rope_freqs.weight", vector(factors));
            }
            case RopeScaling.Factors(_, double attention) -> {
                JsonFile from = json.object(json.has("rope_scaling") ? "rope_scaling" : "rope_parameters");
                for (String which : List.of("long", "short")) {
                    List<Double> numbers = from.numbers(which + "_factor");
                    float[] factors = new float[numbers.size()];
                    for (int i = 0; i < factors.length; i++) {
                        factors[i] = numbers.get(i).floatValue();
                    }
                    tensors.put("rope_factors_" + which + ".weight", vector(factors));
                }
                String original = "original_max_position_embeddings";
                put("rope.scaling.original_context_length", (json.has(original) ? json : from).integer(original, 1));
                put("rope.scaling.attn_factor", attention);
            }
            default -> throw json.wrong(json.has("rope_scaling") ? "rope_scaling" : "rope_parameters",
                    "a scaling that GGUF has: linear, yarn, llama3 or longrope");
        }
    }

    private static Tensor vector(float[] values) {
        var tensor = dev.fovea.tensor.Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(values.length));
        for (int i = 0; i < values.length; i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i]);
        }
        return new Tensor(List.of(Weight.of(tensor)), 0, 0);
    }

    private void weights(Description d, ModelWeights weights, Map<Part, String> names) {
        boolean permutes = List.of("llama", "smollm3").contains(architecture);
        float addition = architecture.startsWith("gemma") ? 1 : 0;
        Map<Part, String> fused = switch (architecture) {
            case "gpt2" -> Map.of(Part.QUERY, "attn_qkv", Part.KEY, "attn_qkv", Part.VALUE, "attn_qkv");
            case "phi3" -> Map.of(Part.QUERY, "attn_qkv", Part.KEY, "attn_qkv", Part.VALUE, "attn_qkv", Part.GATE, "ffn_up");
            default -> Map.of();
        };
        WeightShapes.<RuntimeException>visit(d, (part, layer, bias, _) -> {
            Weight weight = bias ? weights.bias(part, layer) : weights.weight(part, layer);
            String name = (fused.containsKey(part) ? "blk.#." + fused.get(part) : names.get(part))
                    .replace("#", Integer.toString(layer)) + (bias ? ".bias" : ".weight");
            int heads = !permutes ? 0 : part == Part.QUERY ? d.attention().heads() : part == Part.KEY ? d.attention().kvHeads() : 0;
            float added = weight.rank() == 1 && !bias ? addition : 0;
            Tensor before = tensors.get(name);
            List<Weight> parts = new ArrayList<>(before == null ? List.of() : before.parts());
            parts.add(weight);
            tensors.put(name, new Tensor(List.copyOf(parts), heads, added));
        });
    }

    private void requireActivation(JsonFile json, Description d) throws FormatException {
        Activation expected = architecture.startsWith("gemma") || architecture.equals("gpt2") ? Activation.GELU_TANH
                : Activation.SILU;
        if (d.feedForward().activation() != expected) {
            String field = List.of("hidden_activation", "activation_function", "hidden_act").stream().filter(json::has).findFirst()
                    .orElse("hidden_act");
            throw json.wrong(field, "that of " + architecture + " in GGUF, " + expected);
        }
    }
}
