package dev.fovea.server.models;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderQueue;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
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
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
     * @param parallel answers that a language model writes at a time
     * @param queues the queue of a model, by the model's name
     */
    public record Loading(EncoderOptions encoders, GeneratorOptions generators, int parallel,
            Function<String, QueueOptions> queues) {}

    /**
     * Loads models: names that {@link ModelCatalog} knows, directories, or {@code .gguf} files, each perhaps with the name
     * that clients know it by before it: {@code NAME=PATH}. What a directory is for, its files say.
     *
     * @throws IOException if one cannot be loaded
     * @throws IllegalArgumentException if two have the same name, or there is none
     */
    public static ModelSet load(List<String> models, Loading loading) throws IOException {
        if (models.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 model to serve, got 0");
        }
        var set = new ModelSet();
        try {
            for (String model : models) {
                set.add(model, loading);
            }
            return set;
        } catch (Throwable e) {
            set.close();
            throw e;
        }
    }

    private void add(String given, Loading loading) throws IOException {
        int equals = given.indexOf('=');
        boolean named = equals > 0 && given.substring(0, equals).matches("[A-Za-z0-9._-]+") && !exists(given);
        String what = named ? given.substring(equals + 1) : given;
        String name = named ? given.substring(0, equals) : defaultName(what);
        if (models.containsKey(name)) {
            throw new IllegalArgumentException("two models are called " + name + "; give one another name: NAME=" + what);
        }
        if (exists(what)) {
            places.put(Path.of(what).toAbsolutePath().normalize().toString(), name);
            places.put(what, name);
        }
        models.put(name, load(name, what, loading));
    }

    private static boolean exists(String path) {
        try {
            return Files.exists(Path.of(path));
        } catch (InvalidPathException _) {
            return false;
        }
    }

    /** The model's own name, or the last part of its path. */
    private static String defaultName(String what) {
        Optional<NamedModel> known = ModelCatalog.find(what);
        if (known.isPresent()) {
            return known.get().name();
        }
        if (!exists(what)) {
            return what; // loading says what is wrong
        }
        String last = String.valueOf(Path.of(what).toAbsolutePath().normalize().getFileName());
        return last.endsWith(".gguf") ? last.substring(0, last.length() - ".gguf".length()) : last;
    }

    private static ServedModel load(String name, String what, Loading loading) throws IOException {
        boolean exists = exists(what);
        if (exists && TextGenerator.takes(Path.of(what))) {
            TextGenerator model = TextGenerator.load(Path.of(what), loading.generators());
            return new ServedModel.Writer(name, new Generator(model, loading.parallel()));
        }
        QueueOptions queue = loading.queues().apply(name);
        String task = exists && Files.isDirectory(Path.of(what)) ? task(Path.of(what)) : "embed";
        return switch (task) {
            case "rerank" -> {
                Reranker reranker = Reranker.load(Path.of(what), loading.encoders());
                yield new ServedModel.Ranker(name, reranker, EncoderQueue.of(reranker, queue));
            }
            case "classify" -> {
                TextClassifier classifier = TextClassifier.load(Path.of(what), loading.encoders());
                yield new ServedModel.Classifier(name, classifier, EncoderQueue.of(classifier, queue));
            }
            case "sparse" -> {
                SparseEncoder sparse = SparseEncoder.load(Path.of(what), loading.encoders());
                yield new ServedModel.Terms(name, sparse, EncoderQueue.of(sparse, queue));
            }
            default -> {
                TextEncoder encoder = TextEncoder.load(what, loading.encoders());
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
