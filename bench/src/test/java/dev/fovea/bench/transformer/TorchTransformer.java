package dev.fovea.bench.transformer;

import dev.fovea.model.TransformerConfig;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig.FeedForward;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.MultiheadAttentionImpl;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TransformerActivation;
import org.bytedeco.pytorch.TransformerDecoderImpl;
import org.bytedeco.pytorch.TransformerDecoderLayerOptions;
import org.bytedeco.pytorch.TransformerDecoderOptions;
import org.bytedeco.pytorch.TransformerEncoderImpl;
import org.bytedeco.pytorch.TransformerEncoderLayerOptions;
import org.bytedeco.pytorch.TransformerEncoderOptions;
import org.bytedeco.pytorch.TransformerImpl;
import org.bytedeco.pytorch.TransformerOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.kGELU;
import org.bytedeco.pytorch.kReLU;

/**
 * libtorch's Transformers with weights that go by Fovea's names, on padded batches, on one thread.
 *
 * <p>With the norm last they are its modules {@code nn::Transformer}, {@code nn::TransformerEncoder} and {@code
 * nn::TransformerDecoder}. These have no {@code norm_first} in C++; with the norm first they are made of its {@code
 * nn::MultiheadAttention}, {@code layer_norm} and {@code linear}, in the order in which {@code torch/nn/modules/
 * transformer.py} calls them.
 */
final class TorchTransformer {
    static {
        torch.set_num_threads(1);
        openblas.blas_set_num_threads(1);
    }

    private final TransformerConfig config;
    private final Map<String, float[]> weights;
    private final ScalarType type;

    TorchTransformer(TransformerConfig config, Map<String, float[]> weights, ScalarType type) {
        this.config = config;
        this.weights = weights;
        this.type = type;
    }

    /** Sequences of vectors, [tokens][d_model] each. */
    record Vectors(List<double[][]> sequences) {
        int longest() {
            return sequences.stream().mapToInt(sequence -> sequence.length).max().orElseThrow();
        }
    }

    /** The encoder's result; with {@code causal}, under a look-ahead mask. */
    Vectors encode(Vectors source, boolean causal) {
        try (var _ = new PointerScope(); var _ = new NoGradGuard()) {
            Tensor mask = causal ? lookAhead(source) : new Tensor();
            return vectors(encode(tensor(source), mask, padding(source), causal ? "decoder" : "encoder"), source);
        }
    }

    /** The decoder's result for a memory. */
    Vectors decode(Vectors target, Vectors memory) {
        try (var _ = new PointerScope(); var _ = new NoGradGuard()) {
            return vectors(decode(tensor(target), target, tensor(memory), padding(memory)), target);
        }
    }

    /** The decoder's result for the encoder's. */
    Vectors transform(Vectors source, Vectors target) {
        try (var _ = new PointerScope(); var _ = new NoGradGuard()) {
            if (config.normFirst()) {
                Tensor memory = encode(tensor(source), new Tensor(), padding(source), "encoder");
                return vectors(decode(tensor(target), target, memory, padding(source)), target);
            }
            var options = new TransformerOptions(config.dModel(), config.heads(), config.layers(), config.layers());
            options.dim_feedforward().put(config.dFf());
            options.dropout().put(0);
            activation(options.activation());
            var transformer = new TransformerImpl(options);
            load(transformer, "");
            return vectors(transformer.forward(tensor(source), tensor(target), new Tensor(), lookAhead(target),
                    new Tensor(), padding(source), padding(target), padding(source)), target);
        }
    }

    private Tensor encode(Tensor x, Tensor mask, Tensor padding, String stack) {
        if (!config.normFirst()) {
            var layer = new TransformerEncoderLayerOptions(config.dModel(), config.heads());
            layer.dim_feedforward().put(config.dFf());
            layer.dropout().put(0);
            activation(layer.activation());
            var encoder = new TransformerEncoderImpl(new TransformerEncoderOptions(layer, config.layers()));
            load(encoder, stack + '.');
            return finalNorm(encoder.forward(x, mask, padding), stack);
        }
        for (int i = 0; i < config.layers(); i++) {
            String layer = stack + ".layers." + i;
            Tensor normed = norm(x, layer + ".attention.norm");
            x = x.add(attend(normed, normed, layer + ".attention", mask, padding));
            x = x.add(feedForward(norm(x, layer + ".feed_forward.norm"), layer + ".feed_forward"));
        }
        return finalNorm(x, stack);
    }

    private Tensor decode(Tensor x, Vectors target, Tensor memory, Tensor memoryPadding) {
        if (!config.normFirst()) {
            var layer = new TransformerDecoderLayerOptions(config.dModel(), config.heads());
            layer.dim_feedforward().put(config.dFf());
            layer.dropout().put(0);
            activation(layer.activation());
            var decoder = new TransformerDecoderImpl(new TransformerDecoderOptions(layer, config.layers()));
            load(decoder, "decoder.");
            return finalNorm(decoder.forward(x, memory, lookAhead(target), new Tensor(), padding(target), memoryPadding),
                    "decoder");
        }
        for (int i = 0; i < config.layers(); i++) {
            String layer = "decoder.layers." + i;
            Tensor normed = norm(x, layer + ".attention.norm");
            x = x.add(attend(normed, normed, layer + ".attention", lookAhead(target), padding(target)));
            normed = norm(x, layer + ".cross_attention.norm");
            x = x.add(attend(normed, memory, layer + ".cross_attention", new Tensor(), memoryPadding));
            x = x.add(feedForward(norm(x, layer + ".feed_forward.norm"), layer + ".feed_forward"));
        }
        return finalNorm(x, "decoder");
    }

    private Tensor attend(Tensor query, Tensor keyValue, String name, Tensor mask, Tensor padding) {
        var attention = new MultiheadAttentionImpl(config.dModel(), config.heads());
        load(attention, name + '.');
        return attention.forward(query, keyValue, keyValue, padding, false, mask, true).get0();
    }

    private Tensor feedForward(Tensor x, String name) {
        Tensor inner = linear(x, name + ".up", config.dFf(), config.dModel());
        inner = config.feedForward() == FeedForward.RELU ? torch.relu(inner) : torch.gelu(inner);
        return linear(inner, name + ".down", config.dModel(), config.dFf());
    }

    private Tensor linear(Tensor x, String name, long outputs, long inputs) {
        return torch.linear(x, weight(name + ".weight", outputs, inputs),
                new TensorOptional(weight(name + ".bias", outputs)));
    }

    private Tensor finalNorm(Tensor x, String stack) {
        return config.finalNorm() ? norm(x, stack + ".norm") : x;
    }

    private Tensor norm(Tensor x, String name) {
        return torch.layer_norm(x, new long[] {config.dModel()},
                new TensorOptional(weight(name + ".weight", config.dModel())),
                new TensorOptional(weight(name + ".bias", config.dModel())), config.epsilon(), true);
    }

    private Tensor weight(String name, long... sizes) {
        return Tensor.create(weights.get(name), sizes).to(type);
    }

    private void activation(TransformerActivation activation) {
        if (config.feedForward() == FeedForward.RELU) {
            activation.put(new kReLU());
        } else {
            activation.put(new kGELU());
        }
    }

    /** Gives all parameters of a module their weights. */
    private void load(Module module, String prefix) {
        module.eval();
        module.to(type, false);
        StringTensorDict parameters = module.named_parameters();
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i).key().getString();
            Tensor parameter = parameters.get(i).value();
            parameter.copy_(Tensor.create(values(prefix + name), parameter.sizes().vec().get()).to(type));
        }
    }

    /** The weights that libtorch calls so. */
    private float[] values(String name) {
        boolean cross = name.contains("decoder") && config.architecture() == Architecture.ENCODER_DECODER;
        String own = name.replace("self_attn", "attention").replace("multihead_attn", "cross_attention")
                .replace("out_proj", "output").replace("linear1", "feed_forward.up")
                .replace("linear2", "feed_forward.down").replace("norm1", "attention.norm")
                .replace("norm2", cross ? "cross_attention.norm" : "feed_forward.norm")
                .replace("norm3", "feed_forward.norm");
        int joint = own.indexOf("in_proj_");
        if (joint < 0) {
            return weights.get(own);
        }
        String attention = own.substring(0, joint);
        String kind = own.substring(joint + "in_proj_".length());
        return join(weights.get(attention + "query." + kind), weights.get(attention + "key." + kind),
                weights.get(attention + "value." + kind));
    }

    private static float[] join(float[]... parts) {
        float[] whole = new float[parts.length * parts[0].length];
        for (int i = 0; i < parts.length; i++) {
            System.arraycopy(parts[i], 0, whole, i * parts[0].length, parts[0].length);
        }
        return whole;
    }

    /** [longest, sequences, d_model], padded with numbers that no one may see. */
    private Tensor tensor(Vectors x) {
        double[] padded = new double[x.longest() * x.sequences().size() * config.dModel()];
        Arrays.fill(padded, 1e3);
        for (int s = 0; s < x.sequences().size(); s++) {
            double[][] rows = x.sequences().get(s);
            for (int t = 0; t < rows.length; t++) {
                System.arraycopy(rows[t], 0, padded, (t * x.sequences().size() + s) * config.dModel(), config.dModel());
            }
        }
        return Tensor.create(padded, x.longest(), x.sequences().size(), config.dModel()).to(type);
    }

    /** [sequences, longest], true where there is padding. */
    private static Tensor padding(Vectors x) {
        boolean[] padding = new boolean[x.longest() * x.sequences().size()];
        for (int s = 0; s < x.sequences().size(); s++) {
            for (int t = x.sequences().get(s).length; t < x.longest(); t++) {
                padding[s * x.longest() + t] = true;
            }
        }
        return Tensor.create(padding, x.sequences().size(), x.longest());
    }

    /** [longest, longest], −∞ where a token lies ahead; in C++ this mask is added, whatever its type. */
    private Tensor lookAhead(Vectors x) {
        int tokens = x.longest();
        double[] mask = new double[tokens * tokens];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = i % tokens > i / tokens ? Double.NEGATIVE_INFINITY : 0;
        }
        return Tensor.create(mask, tokens, tokens).to(type);
    }

    private Vectors vectors(Tensor padded, Vectors like) {
        double[] values = new double[Math.toIntExact(padded.numel())];
        new DoublePointer(padded.to(ScalarType.Double).contiguous().data_ptr()).get(values);
        int sequences = like.sequences().size();
        List<double[][]> all = new ArrayList<>();
        for (int s = 0; s < sequences; s++) {
            double[][] rows = new double[like.sequences().get(s).length][config.dModel()];
            for (int t = 0; t < rows.length; t++) {
                System.arraycopy(values, (t * sequences + s) * config.dModel(), rows[t], 0, config.dModel());
            }
            all.add(rows);
        }
        return new Vectors(all);
    }
}
