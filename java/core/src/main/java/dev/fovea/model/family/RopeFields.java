package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Positions.Rotary;
import dev.fovea.weights.FormatException;
import java.util.List;

/**
 * RoPE of a configuration: {@code rope_parameters} as transformers 5 writes it, or {@code rope_theta} and
 * {@code rope_scaling} of earlier ones. The formulas of what is not given are those of transformers'
 * {@code modeling_rope_utils.py}.
 *
 * @param json the configuration
 * @param parameters of its RoPE, or null
 * @param context tokens of the longest sequence
 */
record RopeFields(JsonFile json, JsonFile parameters, int context) {
    private static final List<String> TYPES = List.of("default", "linear", "dynamic", "yarn", "longrope", "llama3");

    /** That of all layers. */
    static RopeFields of(JsonFile json, int context) throws FormatException {
        String field = json.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
        return new RopeFields(json, json.has(field) ? json.object(field) : null, context);
    }

    /** How the heads of this size are turned. */
    Rotary rotary(int headDim, double absentTheta) throws FormatException {
        return rotary(headDim, type(), theta("rope_theta", absentTheta));
    }

    /** As {@link #rotary(int, double)}, by another type than the file names. */
    Rotary rotary(int headDim, String type, double theta) throws FormatException {
        double part = parameters != null && parameters.has("partial_rotary_factor") ? parameters.number("partial_rotary_factor")
                : json.has("partial_rotary_factor") ? json.number("partial_rotary_factor") : 1;
        int dim = (int) (headDim * part);
        if (!(part > 0 && part <= 1) || dim < 2 || dim % 2 != 0) {
            throw part == 1 ? json.wrong(json.has("head_dim") ? "head_dim" : "num_attention_heads", "heads of an even size")
                    : json.wrong("partial_rotary_factor", "an even part of head_dim " + headDim);
        }
        try {
            return Rotary.of(theta, dim).withScaling(scaling(type, dim));
        } catch (IllegalArgumentException e) {
            throw json.wrong(json.has("rope_scaling") ? "rope_scaling" : "rope_parameters", "values that fit: " + e.getMessage());
        }
    }

    /** The base, of the parameters or of the configuration. */
    double theta(String field, double absent) throws FormatException {
        return parameters != null && parameters.has("rope_theta") ? parameters.number("rope_theta")
                : json.has(field) ? json.number(field) : absent;
    }

    /** The tokens of the longest sequence: {@code dynamic} stretches what a model was trained for by its factor. */
    int longest() throws FormatException {
        int trained = json.integer("max_position_embeddings", 1);
        return type().equals("dynamic") ? (int) Math.min(Integer.MAX_VALUE, trained * parameters.number("factor")) : trained;
    }

    /** How frequencies are scaled. */
    String type() throws FormatException {
        if (parameters == null) {
            return "default";
        }
        String field = parameters.has("rope_type") ? "rope_type" : "type";
        String type = parameters.string(field, "default");
        if (!TYPES.contains(type) && !(type.equals("su"))) {
            throw parameters.wrong(field, "one of " + TYPES);
        }
        return type.equals("su") ? "longrope" : type;
    }

    private RopeScaling scaling(String type, int dim) throws FormatException {
        return switch (type) {
            case "linear" -> new RopeScaling.Linear(parameters.number("factor"));
            case "dynamic" -> dynamic();
            case "yarn" -> yarn();
            case "longrope" -> longRope(dim);
            case "llama3" -> new RopeScaling.Llama3(parameters.number("factor"), parameters.number("low_freq_factor"),
                    parameters.number("high_freq_factor"), original());
            default -> new RopeScaling.None();
        };
    }

    /** As for a sequence as long as the context: a longer one than the model was trained for has a larger base. */
    private RopeScaling dynamic() throws FormatException {
        double factor = parameters.number("factor");
        int trained = json.integer("max_position_embeddings", 1);
        return context <= trained ? new RopeScaling.None()
                : new RopeScaling.Ntk(factor * context / trained - (factor - 1));
    }

    private RopeScaling yarn() throws FormatException {
        if (!parameters.bool("truncate", true)) {
            throw parameters.wrong("truncate", "true");
        }
        double factor = factor();
        double attention = parameters.has("attention_factor") ? parameters.number("attention_factor")
                : orElse("mscale", 0) != 0 && orElse("mscale_all_dim", 0) != 0
                ? scale(factor, orElse("mscale", 0)) / scale(factor, orElse("mscale_all_dim", 0)) : scale(factor, 1);
        return new RopeScaling.Yarn(factor, original(), orElse("beta_fast", 32), orElse("beta_slow", 1), attention);
    }

    private static double scale(double factor, double weight) {
        return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
    }

    /** Contexts beyond those of the first training take the factors of long ones, for all of their tokens. */
    private RopeScaling longRope(int dim) throws FormatException {
        double factor = factor();
        double attention = parameters.has("attention_factor") ? parameters.number("attention_factor")
                : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original()));
        String field = context > original() ? "long_factor" : "short_factor";
        List<Double> factors = parameters.numbers(field);
        if (factors.size() != dim / 2) {
            throw parameters.wrong(field, "a factor for each of " + dim / 2 + " pairs");
        }
        return new RopeScaling.Factors(factors, attention);
    }

    private double factor() throws FormatException {
        return parameters.has("factor") ? parameters.number("factor")
                : (double) json.integer("max_position_embeddings", 1) / original();
    }

    private int original() throws FormatException {
        String field = "original_max_position_embeddings";
        int trained = json.integer("max_position_embeddings", 1);
        return json.has(field) ? json.integer(field, 1) : parameters.integer(field, 1, trained);
    }

    private double orElse(String field, double absent) throws FormatException {
        return parameters.has(field) ? parameters.number(field) : absent;
    }
}
