package dev.fovea.model;

import dev.fovea.text.ModelInput;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Says which words may stand where a text has a mask, such as {@code [MASK]}. Safe to share between threads. */
public final class FillMask implements AutoCloseable {
    private static final List<String> MASKS = List.of("[MASK]", "<mask>", "<|mask|>");

    /** A token of the vocabulary and its probability. */
    public record Word(String token, int id, float probability) {}

    private final HeadModel model;
    private final String mask;
    private final int maskId;

    private FillMask(HeadModel model, Path directory) throws FormatException {
        this.model = model;
        this.mask = MASKS.stream().filter(token -> model.tokenizer().id(token) >= 0).findFirst().orElse(null);
        if (mask == null) {
            throw new FormatException(directory.resolve("tokenizer.json"), -1, "added_tokens",
                    "expected a token for masks, one of " + MASKS + ", got none");
        }
        this.maskId = model.tokenizer().id(mask);
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static FillMask load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: an encoder with a head for masked words.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged, does not fit the others, or is that of another model
     * @throws IOException if a file cannot be read
     */
    public static FillMask load(Path directory, EncoderOptions options) throws IOException {
        return HeadModel.load(directory, options, (config, encoder, file) -> config.words(encoder, file),
                model -> new FillMask(model, directory));
    }

    /** What stands for a masked word. */
    public String mask() {
        return mask;
    }

    /**
     * The likeliest words of each mask, in the order of the masks, the likeliest first.
     *
     * @param count of words, at least 1
     * @throws IllegalArgumentException if the text has no mask, or its masks are behind what the model takes
     * @throws IllegalStateException if this is closed
     */
    public List<List<Word>> fill(String text, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("expected at least 1 word, got " + count);
        }
        ModelInput input = model.input(text);
        List<List<Word>> words = model.run(input, (one, output, row, _) -> {
            List<List<Word>> all = new ArrayList<>();
            for (int i = 0; i < one.ids().length; i++) {
                if (one.ids()[i] == maskId) {
                    all.add(likeliest(Labels.softmax(HeadModel.row(output, row + i)), count));
                }
            }
            return all;
        });
        if (words.isEmpty()) {
            throw new IllegalArgumentException("expected a text with " + mask + " within the first " + model.maxTokens()
                    + " tokens, got none");
        }
        return words;
    }

    private List<Word> likeliest(float[] probabilities, int count) {
        return IntStream.range(0, probabilities.length).boxed()
                .sorted(Comparator.comparing((Integer id) -> -probabilities[id])).limit(count)
                .map(id -> new Word(model.tokenizer().text(id), id, probabilities[id])).toList();
    }

    /** The directory's name. */
    public String name() {
        return model.name();
    }

    /** What it takes of memory off the Java heap now. */
    public MemoryUse memory() {
        return model.memory();
    }

    @Override
    public String toString() {
        return model.describe("FillMask", mask());
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        model.close();
    }
}
