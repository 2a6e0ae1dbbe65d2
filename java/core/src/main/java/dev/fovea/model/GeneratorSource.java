package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.DecoderConfig;
import dev.fovea.model.family.EncoderDecoderConfig;
import dev.fovea.model.family.GgufDecoder;
import dev.fovea.model.family.GgufT5;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where the parts of a language model come from: a directory, or one GGUF file that has all of them. */
sealed interface GeneratorSource {
    /**
     * That of a path. If it is a file, that is open from now on: the caller asks for the weights, and closes these.
     *
     * @throws ModelNotFoundException if there is nothing, or a file that a model needs is not in the directory
     */
    static GeneratorSource of(Path path) throws IOException {
        return EncoderSource.isFile(path) ? new OfFile(GgufWeights.open(path)) : new OfDirectory(ModelFiles.ofGenerator(path));
    }

    /** The weights, which the caller closes; to be asked for once. */
    Weights openWeights() throws IOException;

    /** Whether it has an encoder, which {@link #encoderDecoder} describes; else {@link #config} says what it is. */
    boolean hasEncoder() throws IOException;

    /** What an encoder and a decoder are. */
    EncoderDecoderConfig encoderDecoder() throws IOException;

    /** What the model is. */
    DecoderConfig config() throws IOException;

    /**
     * Loads the tokenizer, which the caller closes.
     *
     * @throws IOException also if there is none
     */
    Tokenizer openTokenizer() throws IOException;

    /** What makes a text of a chat; null if there is nothing. */
    ChatTemplate chatTemplate(Tokenizer tokenizer) throws IOException;

    /** The ids that its settings say end a text, beside those that the tokenizer knows. */
    List<Integer> ends() throws IOException;

    /**
     * A directory in the layout of Hugging Face.
     *
     * @param files where it has what; without a tokenizer, only ids can be read and written
     */
    record OfDirectory(ModelFiles files) implements GeneratorSource {
        @Override
        public Weights openWeights() throws IOException {
            return Weights.open(files.weights());
        }

        @Override
        public boolean hasEncoder() throws IOException {
            return EncoderDecoderConfig.takes(JsonFile.read(files.config()));
        }

        @Override
        public EncoderDecoderConfig encoderDecoder() throws IOException {
            return EncoderDecoderConfig.read(files.config(),
                    JsonFile.readIfPresent(files.folder().resolve("generation_config.json")));
        }

        @Override
        public DecoderConfig config() throws IOException {
            return DecoderConfig.read(files.config());
        }

        @Override
        public Tokenizer openTokenizer() throws IOException {
            if (files.tokenizer() == null) {
                throw new ModelNotFoundException("model directory " + files.folder() + " has no tokenizer.json and no vocab.txt");
            }
            return Tokenizer.load(files.folder(), JsonFile.read(files.config()).string("model_type", ""));
        }

        @Override
        public ChatTemplate chatTemplate(Tokenizer tokenizer) throws IOException {
            return ChatTemplate.of(files.folder(), tokenizer);
        }

        /** Those of {@code generation_config.json}; where it has none, of {@code config.json}. */
        @Override
        public List<Integer> ends() throws IOException {
            JsonFile generation = JsonFile.readIfPresent(files.folder().resolve("generation_config.json"));
            return ends(generation.has("eos_token_id") ? generation : JsonFile.read(files.config()));
        }

        private static List<Integer> ends(JsonFile json) throws IOException {
            List<Integer> ends = new ArrayList<>();
            if (json.isArray("eos_token_id")) {
                for (double id : json.numbers("eos_token_id")) {
                    ends.add((int) id);
                }
            } else if (json.has("eos_token_id")) {
                ends.add(json.integer("eos_token_id", 0));
            }
            return ends;
        }
    }

    /** A GGUF file as llama.cpp writes it. */
    record OfFile(GgufWeights weights) implements GeneratorSource {
        @Override
        public Weights openWeights() {
            return weights;
        }

        @Override
        public boolean hasEncoder() throws IOException {
            return GgufT5.hasDecoder(weights);
        }

        @Override
        public EncoderDecoderConfig encoderDecoder() throws IOException {
            return GgufT5.read(weights);
        }

        @Override
        public DecoderConfig config() throws IOException {
            return GgufDecoder.read(weights);
        }

        @Override
        public Tokenizer openTokenizer() throws IOException {
            return Tokenizer.load(weights.metadata());
        }

        @Override
        public ChatTemplate chatTemplate(Tokenizer tokenizer) throws IOException {
            return ChatTemplate.of(weights.metadata(), weights.file(), tokenizer);
        }

        @Override
        public List<Integer> ends() throws IOException {
            List<Integer> ends = new ArrayList<>();
            for (String token : List.of("eos", "eot", "eom")) {
                String key = "tokenizer.ggml." + token + "_token_id";
                if (weights.metadata().has(key)) {
                    ends.add(weights.metadata().integer(key, 0));
                }
            }
            return ends;
        }
    }
}
