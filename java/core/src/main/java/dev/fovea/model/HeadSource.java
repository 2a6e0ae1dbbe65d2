package dev.fovea.model;

import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderConfig;
import dev.fovea.model.family.GgufDecoder;
import dev.fovea.model.sentence.SentenceConfig;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;

/** Where the parts of a model with a head come from: a directory, or one file of a language model that judges. */
interface HeadSource {
    /** The weights, which the caller closes; to be asked for once. */
    Weights openWeights() throws IOException;

    /** What the layers are. */
    EncoderConfig config() throws IOException;

    /** Loads the tokenizer of what {@link #config} gave; the caller closes it. */
    Tokenizer openTokenizer(EncoderConfig config) throws IOException;

    /** The file that has the tokenizer. */
    Path tokenizerFile();

    /**
     * Tokens that the model takes of a text, special tokens included.
     *
     * @param specials tokens that the tokenizer puts around each text
     */
    int maxTokens(Description encoder, int specials) throws IOException;

    /**
     * That of a path. If it is a file, that is open from now on: the caller asks for the weights, and closes these.
     *
     * @param instructed whether the model is told by an instruction what to do
     */
    static HeadSource of(Path path, EncoderOptions options, boolean instructed) throws IOException {
        return EncoderSource.isFile(path) ? new OfFile(GgufWeights.open(path))
                : new OfDirectory(path, ModelFiles.ofHead(path, options.weightsFile()), instructed);
    }

    /** A directory in the layout of Hugging Face. */
    record OfDirectory(Path directory, ModelFiles files, boolean instructed) implements HeadSource {
        @Override
        public Weights openWeights() throws IOException {
            return Weights.open(files.weights());
        }

        @Override
        public EncoderConfig config() throws IOException {
            return EncoderConfig.read(files.config());
        }

        @Override
        public Tokenizer openTokenizer(EncoderConfig config) throws IOException {
            return Tokenizer.load(files.folder(), config.modelType());
        }

        @Override
        public Path tokenizerFile() {
            return files.tokenizer();
        }

        @Override
        public int maxTokens(Description encoder, int specials) throws IOException {
            return SentenceConfig.maxTokensOfHead(directory, files.folder(), encoder, specials, instructed);
        }
    }

    /** A GGUF file of a language model. */
    record OfFile(GgufWeights weights) implements HeadSource {
        @Override
        public Weights openWeights() {
            return weights;
        }

        @Override
        public EncoderConfig config() throws IOException {
            return GgufDecoder.judge(weights);
        }

        @Override
        public Tokenizer openTokenizer(EncoderConfig config) throws IOException {
            return Tokenizer.load(weights.metadata());
        }

        @Override
        public Path tokenizerFile() {
            return weights.file();
        }

        @Override
        public int maxTokens(Description encoder, int specials) throws IOException {
            GgufMetadata metadata = weights.metadata();
            String length = metadata.string("general.architecture") + ".context_length";
            if (encoder.maxTokens() <= specials) {
                throw metadata.error(length, "expected room for more than the " + specials + " special tokens, got "
                        + encoder.maxTokens());
            }
            return encoder.maxTokens();
        }
    }
}
