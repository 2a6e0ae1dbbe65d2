package dev.fovea.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A BERT of one layer and random weights that scores pairs of texts of the words {@code w0} to {@code w27}. */
public final class ToyReranker {
    private static final int WIDTH = 32;

    private ToyReranker() {}

    /** Writes the model. */
    public static Path write(Path directory) throws IOException {
        var folder = new ModelFolder();
        var random = new Random(1);
        String embeddings = "bert.embeddings.";
        fill(random, folder.add(embeddings + "word_embeddings.weight", WIDTH, WIDTH));
        fill(random, folder.add(embeddings + "position_embeddings.weight", WIDTH, WIDTH));
        fill(random, folder.add(embeddings + "token_type_embeddings.weight", 2, WIDTH));
        norm(folder, embeddings + "LayerNorm");
        String layer = "bert.encoder.layer.0.";
        for (String name : List.of("attention.self.query", "attention.self.key", "attention.self.value",
                "attention.output.dense", "intermediate.dense", "output.dense")) {
            linear(random, folder, layer + name, WIDTH);
        }
        norm(folder, layer + "attention.output.LayerNorm");
        norm(folder, layer + "output.LayerNorm");
        linear(random, folder, "bert.pooler.dense", WIDTH);
        linear(random, folder, "classifier", 1);
        return folder.write(directory, """
                {"model_type": "bert", "vocab_size": 32, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                 "intermediate_size": 32, "hidden_act": "gelu", "max_position_embeddings": 32, "type_vocab_size": 2,
                 "layer_norm_eps": 1e-12, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}
                """, Stream.concat(Stream.of("[PAD]", "[UNK]", "[CLS]", "[SEP]"), IntStream.range(0, 28).mapToObj(i -> "w" + i))
                .toList(), """
                {"type": "TemplateProcessing",
                 "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                            {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                 "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                          {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                          {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
                 "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                    "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}""");
    }

    private static void linear(Random random, ModelFolder folder, String name, int outputs) {
        fill(random, folder.add(name + ".weight", outputs, WIDTH));
        fill(random, folder.add(name + ".bias", outputs));
    }

    private static void norm(ModelFolder folder, String name) {
        Arrays.fill(folder.add(name + ".weight", WIDTH), 1);
        folder.add(name + ".bias", WIDTH);
    }

    private static void fill(Random random, float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() / 4;
        }
    }
}
