package dev.fovea.model;

import dev.fovea.text.TokenDecoder;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * What reads prompts for a language model, if there is anything: a model without it reads and writes token ids.
 *
 * @param path of the model
 * @param tokenizer null where there is none that is read
 * @param problem why there is none
 */
record PromptTokenizer(Path path, Tokenizer tokenizer, IOException problem) {
    /** @throws IOException if a file is not readable, which is worse than having no tokenizer */
    static PromptTokenizer of(Path path, Loading<Tokenizer> tokens) throws IOException {
        try {
            return new PromptTokenizer(path, tokens.get(), null);
        } catch (FormatException | ModelNotFoundException e) {
            return new PromptTokenizer(path, null, e);
        }
    }

    boolean isThere() {
        return tokenizer != null;
    }

    /** @throws UnsupportedOperationException if there is none; the message says why */
    Tokenizer require() {
        if (tokenizer == null) {
            throw new UnsupportedOperationException("the model " + path + " reads token ids alone, not texts: "
                    + problem.getMessage(), problem);
        }
        return tokenizer;
    }

    /** The ids of a text, behind the token that begins one if it does, and with the token that ends one if it does. */
    int[] encode(String text, boolean begins, boolean ends) {
        IntStream ids = IntStream.of(require().encode(text));
        IntStream read = begins ? IntStream.concat(IntStream.of(tokenizer.prefix()), ids) : ids;
        return (ends ? IntStream.concat(read, IntStream.of(tokenizer.suffix())) : read).toArray();
    }

    /** See {@link TextGenerator#token}. */
    String text(int id) {
        TokenDecoder decoder = require().decoder(true);
        byte[] bytes = decoder.tellsBytes() ? decoder.bytes(id) : new byte[0];
        return bytes.length > 0 ? new String(bytes, StandardCharsets.UTF_8) : tokenizer.text(id);
    }
}
