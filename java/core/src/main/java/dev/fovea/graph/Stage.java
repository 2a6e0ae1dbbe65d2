package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What one kernel call does: an op, or several that a pass of the compiler has fused. The passes turn a list
 * of stages, in the order of their running, into another.
 */
sealed interface Stage {
    /** The values it reads, in order; one that it reads twice stands there twice. */
    List<Value> inputs();

    /** The values it yields: one, or the neighbouring column ranges of one product. */
    List<Value> outputs();

    /** Inputs whose memory the output may take over, if nothing reads them later. */
    List<Value> replaceable();

    /** Its kind and what was fused into it, such as {@code linear bias gelu_erf residual "hidden"}. */
    String describe();

    /** The value of a stage that yields one. */
    default Value output() {
        return outputs().getFirst();
    }

    /** An op as the graph has it. */
    record Single(Op op, Value output) implements Stage {
        @Override
        public List<Value> inputs() {
            return op.inputs();
        }

        @Override
        public List<Value> outputs() {
            return List.of(output);
        }

        @Override
        public List<Value> replaceable() {
            return op instanceof InPlace ? op.inputs() : List.of();
        }

        @Override
        public String describe() {
            return switch (op) {
                case Op.Embedding _ -> "embedding";
                case BatchOp.TokenTypes _ -> "token_types";
                case BatchOp.RelativeBias _ -> "relative_bias";
                case BatchOp.HeadLinear _ -> "head_linear";
                case BatchOp.HeadNorm _ -> "head_norm";
                case Op.LayerNorm _ -> "layer_norm";
                case Op.RmsNorm _ -> "rms_norm";
                case Op.Multiply _ -> "multiply";
                case Op.Attention attention when attention.cache() == null -> "attention";
                case Op.Attention attention ->
                    (attention.k() == null ? "attention to" : "attention on") + " cache " + attention.cache();
                case Op.Append append -> "append to cache " + append.cache();
                case Op.MatMul matmul -> matmul.transposeA() ? "matmul transposed" : "matmul";
                case Op.LogSoftmax _ -> "log_softmax";
                case Op.TopK _ -> "top_k";
                case Op.Gather _ -> "gather";
                case Op.Activate activate -> lowerCase(activate.activation());
                case Op.Add _ -> "add";
                case Op.Normalize _ -> "normalize";
                case Op.Linear _, Op.Pool _ -> throw new AssertionError(op);
            };
        }
    }

    /**
     * One weight of a product.
     *
     * @param weight [columns of output, inputs]
     * @param bias [columns of output], or null
     */
    record Part(Weight weight, Weight bias, Value output) {}

    /**
     * {@code activation(x [W₀ W₁ …]ᵀ + [b₀ b₁ …]) + residual}: linear ops that share their input, as one
     * product, with what follows them.
     *
     * @param residual a value of the shape of the single output, or null
     */
    record Product(Value x, List<Part> parts, Activation activation, Value residual) implements Stage {
        @Override
        public List<Value> inputs() {
            return residual == null ? List.of(x) : List.of(x, residual);
        }

        @Override
        public List<Value> outputs() {
            List<Value> outputs = new ArrayList<>();
            for (Part part : parts) {
                outputs.add(part.output());
            }
            return outputs;
        }

        @Override
        public List<Value> replaceable() {
            return residual == null || residual.equals(x) ? List.of() : List.of(residual);
        }

        @Override
        public String describe() {
            var words = new ArrayList<String>(List.of("linear"));
            if (parts.stream().anyMatch(part -> part.bias() != null)) {
                words.add("bias");
            }
            if (activation != Activation.NONE) {
                words.add(lowerCase(activation));
            }
            if (residual != null) {
                words.add("residual \"" + residual.name() + '"');
            }
            return String.join(" ", words);
        }

        /** The columns of all parts together. */
        int columns() {
            int columns = 0;
            for (Part part : parts) {
                columns = Math.addExact(columns, part.output().columns());
            }
            return columns;
        }

        /** This product with its only part yielding {@code output} instead, after an activation. */
        Product activated(Activation activation, Value output) {
            return new Product(x, List.of(renamed(output)), activation, residual);
        }

        /** This product with its only part yielding {@code output} instead, after adding a residual. */
        Product added(Value residual, Value output) {
            return new Product(x, List.of(renamed(output)), activation, residual);
        }

        /** This product and the parts of another on the same input. */
        Product merged(Product other) {
            List<Part> all = new ArrayList<>(parts);
            all.addAll(other.parts);
            return new Product(x, all, activation, null);
        }

        private Part renamed(Value output) {
            return new Part(parts.getFirst().weight(), parts.getFirst().bias(), output);
        }
    }

    /** Pooling of token rows into sequence rows, and their division by their norms. */
    record Pooled(Value x, Pooling mode, boolean normalize, Value output) implements Stage {
        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Value> outputs() {
            return List.of(output);
        }

        @Override
        public List<Value> replaceable() {
            return List.of();
        }

        @Override
        public String describe() {
            return "pool " + lowerCase(mode) + (normalize ? " normalize" : "");
        }
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
