package dev.fovea.testing;

import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A model of a few weights, as a directory in the layout of Hugging Face. */
final class ModelFolder {
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

    /** Adds a weight of zeros, to be filled. */
    float[] add(String name, Integer... shape) {
        float[] weight = new float[List.of(shape).stream().reduce(1, (a, b) -> a * b)];
        values.put(name, weight);
        shapes.put(name, List.of(shape));
        return weight;
    }

    /** Writes the weights, and a tokenizer of whole words between white space. */
    Path write(Path directory, String config, List<String> words, String postProcessor) throws IOException {
        return write(directory, config, words, postProcessor, "null");
    }

    Path write(Path directory, String config, List<String> words, String postProcessor, String decoder) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config);
        List<String> entries = new ArrayList<>();
        for (String word : words) {
            entries.add(new JsonPrimitive(word) + ": " + entries.size());
        }
        Files.writeString(directory.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": %s, "decoder": %s,
                 "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {%s}}}
                """.formatted(postProcessor, decoder, String.join(", ", entries)));
        Files.write(directory.resolve("model.safetensors"), safetensors());
        return directory;
    }

    private byte[] safetensors() {
        int end = 0;
        List<String> entries = new ArrayList<>();
        for (var weight : values.entrySet()) {
            int begin = end;
            end += Float.BYTES * weight.getValue().length;
            entries.add("\"%s\": {\"dtype\": \"F32\", \"shape\": [%s], \"data_offsets\": [%d, %d]}".formatted(weight.getKey(),
                    shapes.get(weight.getKey()).stream().map(String::valueOf).collect(Collectors.joining(", ")), begin, end));
        }
        byte[] header = ("{" + String.join(", ", entries) + "}").getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length + end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        values.values().forEach(weight -> {
            for (float value : weight) {
                bytes.putFloat(value);
            }
        });
        return bytes.array();
    }
}
