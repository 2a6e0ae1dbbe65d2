package dev.fovea.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.stream.Stream;

/**
 * A Llama of one layer that answers chats with the words that it was made with: the output matrix gives each word the one that
 * follows it. For tests of what stands around a language model, which asks them for facts.
 */
public final class ToyLanguageModel {
    private static final int WIDTH = 64;
    private static final String ASSISTANT = "<assistant>";

    private ToyLanguageModel() {}

    /** Writes the model; {@code answer} is words with spaces between, each once. */
    public static Path write(Path directory, String answer) throws IOException {
        List<String> chain = new ArrayList<>(List.of(ASSISTANT));
        for (String word : answer.split(" ")) {
            chain.add(chain.size() == 1 ? word : " " + word);
        }
        if (new LinkedHashSet<>(chain).size() != chain.size()) {
            throw new IllegalArgumentException("expected different words, got " + answer);
        }
        return write(directory, "{% for message in messages %}{{ message['content'] + ' ' }}{% endfor %}" + ASSISTANT,
                List.of(chain));
    }

    /**
     * Writes a model with several answers.
     *
     * @param template of chats
     * @param chains answers, each behind the last word of the prompt that it answers; a word of two is followed by the same in
     *     both. Words of answers bring their spaces along.
     */
    public static Path write(Path directory, String template, List<List<String>> chains) throws IOException {
        List<List<String>> whole = chains.stream().map(chain -> Stream.concat(chain.stream(), Stream.of("</s>")).toList()).toList();
        List<String> words = new ArrayList<>(new LinkedHashSet<>(whole.stream().flatMap(List::stream).toList()));
        if (words.size() >= WIDTH) {
            throw new IllegalArgumentException("expected at most " + (WIDTH - 2) + " different words, got " + words.size());
        }
        words.addFirst("[UNK]");
        while (words.size() < WIDTH) {
            words.add("unused" + words.size());
        }
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("chat_template.jinja"), template);
        return weights(whole, words).write(directory, config(words.indexOf("</s>")),
                words.stream().map(ToyLanguageModel::spelled).toList(), "null",
                "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": false, \"use_regex\": false}");
    }

    /** As a tokenizer of bytes spells it. */
    private static String spelled(String word) {
        return word.replace(' ', '\u0120').replace('\n', '\u010a');
    }

    private static ModelFolder weights(List<List<String>> chains, List<String> words) {
        var folder = new ModelFolder();
        float[] embeddings = folder.add("model.embed_tokens.weight", WIDTH, WIDTH);
        for (int i = 0; i < WIDTH; i++) {
            embeddings[i * WIDTH + i] = 1;
        }
        String layer = "model.layers.0.";
        for (String name : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                "mlp.up_proj", "mlp.down_proj")) {
            folder.add(layer + name + ".weight", WIDTH, WIDTH); // adds nothing to what the embedding says
        }
        for (String name : List.of(layer + "input_layernorm", layer + "post_attention_layernorm", "model.norm")) {
            Arrays.fill(folder.add(name + ".weight", WIDTH), 1);
        }
        float[] outputs = folder.add("lm_head.weight", WIDTH, WIDTH);
        for (List<String> chain : chains) {
            for (int i = 0; i + 1 < chain.size(); i++) {
                outputs[words.indexOf(chain.get(i + 1)) * WIDTH + words.indexOf(chain.get(i))] = 10;
            }
        }
        return folder;
    }

    private static String config(int end) {
        return """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 64, "hidden_size": 64,
                 "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
                 "head_dim": 16, "hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 512,
                 "tie_word_embeddings": false, "eos_token_id": %d}
                """.formatted(end);
    }
}
