package dev.fovea.server.models;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderQueue;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.QueueOptions;
import dev.fovea.model.Reranker;
import dev.fovea.model.SparseEncoder;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** All models that are served, in the order in which they were given. */
public final class ModelSet implements AutoCloseable {
    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    /** What must not be in an answer, and what is there instead. */
    private final Map<String, String> places = new LinkedHashMap<>();

    private ModelSet() {}

    /**
     * How models are loaded.
     *
     * @param encoders all but language models; texts are cut, for the server refuses them itself
     * @param generators language models
     * @param queues the queue of a model, by the model's name
     */
    public record Loading(EncoderOptions encoders, GeneratorOptions generators, Function<String, QueueOptions> queues) {}

    /**
     * Loads models. What a directory is for, its files say.
     *
     * @throws IOException if one cannot be loaded
     * @throws IllegalArgumentException if two have the same name, or there is none
     */
    public static ModelSet load(List<ModelChoice> choices, Loading loading) throws IOException {
        if (choices.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 model to serve, got 0");
        }
        var set = new ModelSet();
        try {
            for (ModelChoice choice : choices) {
                set.add(choice, loading);
            }
            return set;
        } catch (Throwable e) {
            set.close();
            throw e;
        }
    }

    private void add(ModelChoice choice, Loading loading) throws IOException {
        if (models.containsKey(choice.name())) {
            throw new IllegalArgumentException("two models are called " + choice.name() + "; give one another name: NAME="
                    + choice.what());
        }
        if (choice.path() != null) {
            places.put(choice.path().toAbsolutePath().normalize().toString(), choice.name());
            places.put(choice.what(), choice.name());
        }
        models.put(choice.name(), open(choice, loading));
    }

    private static ServedModel open(ModelChoice choice, Loading loading) throws IOException {
        String name = choice.name();
        Path path = choice.path();
        if (path != null && TextGenerator.takes(path)) {
            return new ServedModel.Writer(name, new Generator(TextGenerator.load(path, loading.generators()),
                    loading.generators().concurrency()));
        }
        QueueOptions queue = loading.queues().apply(name);
        String task = path != null && Files.isDirectory(path) ? task(path)
                : path != null && Reranker.takes(path) ? "rerank" : "embed";
        return switch (task) {
            case "rerank" -> {
                Reranker reranker = Reranker.load(path, loading.encoders());
                yield new ServedModel.Ranker(name, reranker, EncoderQueue.of(reranker, queue));
            }
            case "classify" -> {
                TextClassifier classifier = TextClassifier.load(path, loading.encoders());
                yield new ServedModel.Classifier(name, classifier, EncoderQueue.of(classifier, queue));
            }
            case "sparse" -> {
                SparseEncoder sparse = SparseEncoder.load(path, loading.encoders());
                yield new ServedModel.Terms(name, sparse, EncoderQueue.of(sparse, queue));
            }
            default -> {
                TextEncoder encoder = path == null ? TextEncoder.load(choice.what(), loading.encoders())
                        : TextEncoder.load(path, loading.encoders());
                yield new ServedModel.Embedder(name, encoder, EncoderQueue.of(encoder, queue));
            }
        };
    }

    /** What the files of a directory say that its model is for. */
    private static String task(Path directory) throws IOException {
        JsonObject config = read(directory.resolve("config.json"));
        boolean scores = config.has("architectures")
                && config.get("architectures").toString().contains("ForSequenceClassification");
        if (scores) {
            JsonElement labels = config.get("id2label");
            int count = labels instanceof JsonObject all ? all.size()
                    : config.has("num_labels") ? config.get("num_labels").getAsInt() : 2;
            return count == 1 ? "rerank" : "classify";
        }
        String kind = String.valueOf(read(directory.resolve("config_sentence_transformers.json")).get("model_type"));
        Path modules = directory.resolve("modules.json");
        boolean splade = Files.isRegularFile(modules) && Files.readString(modules).contains("SpladePooling");
        return splade || kind.equals("\"SparseEncoder\"") ? "sparse" : "embed";
    }

    private static JsonObject read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return new JsonObject();
        }
        try {
            return JsonParser.parseString(Files.readString(file)) instanceof JsonObject object ? object : new JsonObject();
        } catch (JsonParseException _) {
            return new JsonObject(); // loading says what is wrong with it
        }
    }

    /** All of them. */
    public List<ServedModel> all() {
        return List.copyOf(models.values());
    }

    /**
     * The model of a kind that a client asks for by name.
     *
     * @param name null for the first one of the kind
     * @throws ApiException if there is none
     */
    public <M extends ServedModel> M find(Class<M> kind, String name, String purpose) {
        if (name == null) {
            return models.values().stream().filter(kind::isInstance).map(kind::cast).findFirst().orElseThrow(
                    () -> new ApiException(Kind.NO_MODEL, "no model that is served " + purpose + "; there are " + describe()));
        }
        ServedModel found = models.get(name);
        if (found == null) {
            throw new ApiException(Kind.NO_MODEL, "no model is called '" + excerpt(name) + "'; there are " + describe(), "model");
        }
        if (!kind.isInstance(found)) {
            throw new ApiException(Kind.NO_MODEL, "the model " + name + " is for " + found.task()
                    + " and does not do this; there are " + describe(), "model");
        }
        return kind.cast(found);
    }

    /** Whether there is a model of a kind, of this name; of any for null. */
    public boolean has(Class<? extends ServedModel> kind, String name) {
        return name == null ? models.values().stream().anyMatch(kind::isInstance) : kind.isInstance(models.get(name));
    }

    private String describe() {
        return models.values().stream().map(model -> model.name() + " (" + model.task() + ")").collect(Collectors.joining(", "));
    }

    private static String excerpt(String name) {
        return name.length() <= 64 ? name : name.substring(0, 64) + "…";
    }

    /** A message without places of this machine. */
    public String withoutPlaces(String message) {
        String clean = String.valueOf(message);
        for (Map.Entry<String, String> place : places.entrySet()) {
            clean = clean.replace(place.getKey(), place.getValue());
        }
        return clean;
    }

    @Override
    public void close() {
        List<ServedModel> all = new ArrayList<>(models.values());
        all.reversed().forEach(ServedModel::close);
    }
}
