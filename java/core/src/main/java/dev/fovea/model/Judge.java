package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.sentence.ModuleList;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * The two tokens by which a language model says how well a document answers a query: the module {@code LogitScore} of
 * sentence-transformers, or {@code yes} and {@code no}.
 *
 * @param settings of the module, or null for {@code yes} and {@code no}
 */
record Judge(JsonFile settings) {
    private static final String YES = "true_token_id";
    private static final String NO = "false_token_id";

    /** That of a language model's directory; null if the model has a head that scores sequences. */
    static Judge of(Path directory, JsonFile config) throws IOException {
        ModuleList any = ModuleList.ofAny(directory);
        if (any.size() == 2 && any.type(1).equals("LogitScore")) {
            ModuleList modules = ModuleList.ofHead(directory, List.of(Set.of("Transformer"), Set.of("LogitScore")));
            JsonFile settings = modules.config(1);
            settings.requireKnown(Set.of(YES, NO, "module_input_name"));
            settings.require("module_input_name", "causal_logits");
            return new Judge(settings);
        }
        ModuleList.ofHead(directory, List.of(Set.of("Transformer")));
        boolean writes = config.has("architectures") && config.strings("architectures").stream().limit(1)
                .anyMatch(name -> name.endsWith("ForCausalLM"));
        return writes ? new Judge(null) : null;
    }

    /** The model with a head that compares the two. */
    EncoderConfig.Weighted head(EncoderConfig encoder, Description description, Weights file, Tokenizer tokenizer)
            throws FormatException {
        if (settings == null) {
            return encoder.judge(description, id("yes", tokenizer, encoder), id("no", tokenizer, encoder), file);
        }
        int yes = id(YES, description);
        return encoder.judge(description, yes, settings.has(NO) ? id(NO, description) : -1, file);
    }

    private int id(String field, Description description) throws FormatException {
        int id = settings.integer(field, 0);
        if (id >= description.vocabulary()) {
            throw settings.wrong(field, "an id below the vocab_size " + description.vocabulary());
        }
        return id;
    }

    private static int id(String token, Tokenizer tokenizer, EncoderConfig encoder) throws FormatException {
        int id = tokenizer.id(token);
        if (id < 0) {
            throw new FormatException(encoder.json().file(), -1, "architectures", "expected a model with a head that scores"
                    + " sequences, or a tokenizer that knows the token '" + token + "'");
        }
        return id;
    }
}
