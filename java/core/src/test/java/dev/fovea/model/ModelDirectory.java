package dev.fovea.model;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The directory of a {@link TinyModel}, and the files that tests put into it. */
final class ModelDirectory {
    private final Path directory;

    private ModelDirectory(Path directory) {
        this.directory = directory;
    }

    static ModelDirectory of(TinyModel model, Path directory) throws IOException {
        model.write(directory);
        return new ModelDirectory(directory);
    }

    Path path() {
        return directory;
    }

    ModelDirectory write(String file, String content) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
        return this;
    }

    ModelDirectory delete(String file) throws IOException {
        Files.delete(directory.resolve(file));
        return this;
    }

    /** Writes {@code modules.json} of a Transformer and these, each in a folder of its place and name. */
    ModelDirectory modules(String... types) throws IOException {
        StringBuilder json = new StringBuilder("[{\"idx\": 0, \"name\": \"0\", \"path\": \"\","
                + " \"type\": \"sentence_transformers.models.Transformer\"}");
        for (int i = 0; i < types.length; i++) {
            json.append(",\n{\"idx\": %d, \"name\": \"%d\", \"path\": \"%d_%s\", \"type\": \"sentence_transformers.models.%s\"}"
                    .formatted(i + 1, i + 1, i + 1, types[i], types[i]));
        }
        return write("modules.json", json + "]");
    }

    ModelDirectory pooling(String modes, String... more) throws IOException {
        String names = List.of(modes.split("\\+")).stream().collect(Collectors.joining("\", \"", "[\"", "\"]"));
        return write("1_Pooling/config.json", "{\"word_embedding_dimension\": 33, \"pooling_mode\": " + names
                + (more.length == 0 ? "" : ", " + String.join(", ", more)) + "}");
    }

    ModelDirectory dense(int index, SentencePipelineTest.Dense dense, String activation) throws IOException {
        write(index + "_Dense/config.json", "{\"in_features\": %d, \"out_features\": %d, \"bias\": %s, \"activation_function\": \"%s\"}"
                .formatted(dense.inputs, dense.outputs, dense.bias != null, activation));
        var tensors = new LinkedHashMap<String, TinyModel.Weight>();
        tensors.put("linear.weight", new TinyModel.Weight(List.of(dense.outputs, dense.inputs), dense.weight));
        if (dense.bias != null) {
            tensors.put("linear.bias", new TinyModel.Weight(List.of(dense.outputs), dense.bias));
        }
        return tensors(index + "_Dense/model.safetensors", tensors);
    }

    ModelDirectory layerNorm(int index, float[] gamma, float[] beta) throws IOException {
        write(index + "_LayerNorm/config.json", "{\"dimension\": " + gamma.length + "}");
        return tensors(index + "_LayerNorm/model.safetensors", Map.of(
                "norm.weight", new TinyModel.Weight(List.of(gamma.length), gamma),
                "norm.bias", new TinyModel.Weight(List.of(beta.length), beta)));
    }

    /** Writes {@code config_sentence_transformers.json}. */
    ModelDirectory settings(String json) throws IOException {
        return write("config_sentence_transformers.json", json);
    }

    /** Writes {@code sentence_bert_config.json}. */
    ModelDirectory sentence(String json) throws IOException {
        return write("sentence_bert_config.json", json);
    }

    /** Writes F32 tensors. */
    ModelDirectory tensors(String file, Map<String, TinyModel.Weight> tensors) throws IOException {
        Map<String, Object> header = new LinkedHashMap<>();
        long end = 0;
        for (var entry : tensors.entrySet()) {
            long start = end;
            end += 4L * entry.getValue().values().length;
            header.put(entry.getKey(), Map.of(
                    "dtype", "F32", "shape", entry.getValue().shape(), "data_offsets", List.of(start, end)));
        }
        byte[] json = new Gson().toJson(header).getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + (int) end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        tensors.values().forEach(weight -> {
            for (float value : weight.values()) {
                bytes.putFloat(value);
            }
        });
        Files.write(directory.resolve(file), bytes.array());
        return this;
    }
}
