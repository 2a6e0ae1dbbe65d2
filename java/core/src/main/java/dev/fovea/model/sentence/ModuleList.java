package dev.fovea.model.sentence;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The modules that a model's {@code modules.json} lists: Transformer, Pooling, and what comes behind them. */
public final class ModuleList {
    private static final String MODULES = "modules.json";
    private static final String LIBRARY = "sentence_transformers.";
    private static final Set<String> BEHIND_POOLING = Set.of("Dense", "LayerNorm", "Normalize");
    private static final String PICKLE = "pytorch_model.bin";

    private final Path root;
    private final List<JsonFile> modules;
    private final List<String> types;

    private ModuleList(Path root, List<JsonFile> modules, List<String> types) {
        this.root = root;
        this.modules = modules;
        this.types = types;
    }

    /** The folder of the first module, whatever they are; {@code root} if it has no {@code modules.json}. */
    static Path firstFolder(Path root) throws IOException {
        ModuleList modules = ofAny(root);
        return modules.size() == 0 ? root : modules.folder(0);
    }

    /** Those of a model of any kind and library; none if it has no {@code modules.json}. */
    public static ModuleList ofAny(Path root) throws IOException {
        Path file = root.resolve(MODULES);
        List<JsonFile> modules = new ArrayList<>();
        List<String> types = new ArrayList<>();
        for (JsonElement element : Files.exists(file) ? parse(file) : new JsonArray()) {
            JsonFile module = JsonFile.of(file, "[" + modules.size() + "]", element);
            String type = module.string("type");
            modules.add(module);
            types.add(type.substring(type.lastIndexOf('.') + 1));
        }
        return new ModuleList(root, modules, types);
    }

    /**
     * Those of a model with a head; none if it has no {@code modules.json}.
     *
     * @param names what the modules may be called, in turn
     * @throws FormatException if there are others, or they have code of the model's own
     */
    public static ModuleList ofHead(Path root, List<Set<String>> names) throws IOException {
        ModuleList list = ofAny(root);
        boolean fits = list.size() == names.size();
        for (int i = 0; i < list.size(); i++) {
            requireLibrary(list.modules.get(i));
            fits &= i < names.size() && names.get(i).contains(list.types.get(i));
        }
        if (list.size() > 0 && !fits) {
            String wanted = names.stream().map(some -> String.join(" or ", new TreeSet<>(some)))
                    .collect(Collectors.joining(", then "));
            throw new FormatException(root.resolve(MODULES), -1, "type", "expected " + wanted + ", got "
                    + Excerpt.of(list.types));
        }
        return list;
    }

    private static JsonArray parse(Path file) throws IOException {
        if (JsonFile.parse(file) instanceof JsonArray array) {
            return array;
        }
        throw new FormatException(file, -1, "JSON", "expected an array of modules");
    }

    /** Those of the model in {@code root}; null if it has no {@code modules.json}. */
    static ModuleList read(Path root) throws IOException {
        Path file = root.resolve(MODULES);
        if (!Files.exists(file)) {
            return null;
        }
        ModuleList list = ofAny(root);
        for (JsonFile module : list.modules) {
            requireLibrary(module);
        }
        requireOrder(file, list.types);
        return list;
    }

    private static void requireLibrary(JsonFile module) throws FormatException {
        if (!module.string("type").startsWith(LIBRARY)) {
            throw module.wrong("type", "a module of sentence_transformers, without code of the model's own");
        }
        if (module.has("kwargs") && !module.isEmpty("kwargs")) {
            throw module.wrong("kwargs", "none");
        }
    }

    private static void requireOrder(Path file, List<String> types) throws FormatException {
        boolean known = types.size() >= 2 && types.get(0).equals("Transformer") && types.get(1).equals("Pooling")
                && BEHIND_POOLING.containsAll(types.subList(2, types.size()));
        if (!known) {
            throw new FormatException(file, -1, "type", "expected the modules Transformer, Pooling and then any of"
                    + " Dense, LayerNorm and Normalize, got " + (types.isEmpty() ? "none" : Excerpt.of(types)));
        }
    }

    /** How many there are. */
    public int size() {
        return modules.size();
    }

    /** The name of a module's class. */
    public String type(int index) {
        return types.get(index);
    }

    /** What the list says of a module. */
    public JsonFile module(int index) {
        return modules.get(index);
    }

    /** The folder of the Transformer, where {@code config.json}, tokenizer and weights are. */
    Path transformer() throws FormatException {
        return folder(0);
    }

    /** The settings of the Pooling. */
    JsonFile pooling() throws IOException {
        return config(1);
    }

    /** What comes behind the pooling, and fits vectors of {@code width} components. */
    List<SentenceModule> behindPooling(int width) throws IOException {
        List<SentenceModule> behind = new ArrayList<>();
        int components = width;
        for (int i = 2; i < modules.size(); i++) {
            SentenceModule module = switch (types.get(i)) {
                case "Dense" -> dense(i, components);
                case "LayerNorm" -> layerNorm(i, components);
                default -> normalize(i);
            };
            behind.add(module);
            components = module.outputs(components);
        }
        return List.copyOf(behind);
    }

    private SentenceModule dense(int index, int width) throws IOException {
        JsonFile json = config(index);
        json.requireKnown(Set.of("in_features", "out_features", "bias", "activation_function", "module_input_name",
                "module_output_name", "use_residual"));
        requireWidth(json, "in_features", width);
        requireSentenceEmbedding(json);
        json.require("use_residual", false);
        String activation = json.string("activation_function", "torch.nn.modules.activation.Tanh");
        return new SentenceModule.Dense(weights(index), "linear", width, json.integer("out_features", 1), json.bool("bias", true),
                DenseActivation.of(activation).orElseThrow(() -> json.wrong("activation_function",
                        "one of PyTorch's " + String.join(", ", DenseActivation.classes()))));
    }

    /** Newer versions give it a config. */
    private SentenceModule normalize(int index) throws IOException {
        JsonFile json = JsonFile.readIfPresent(folder(index).resolve("config.json"));
        if (!folder(index).equals(root)) {
            json.requireKnown(Set.of("module_input_name", "module_output_name"));
            requireSentenceEmbedding(json);
        }
        return new SentenceModule.Normalize();
    }

    /** The vectors that it reads and makes are those of texts. */
    private static void requireSentenceEmbedding(JsonFile json) throws FormatException {
        for (String name : List.of("module_input_name", "module_output_name")) {
            json.require(name, "sentence_embedding");
        }
    }

    private SentenceModule layerNorm(int index, int width) throws IOException {
        JsonFile json = config(index);
        json.requireKnown(Set.of("dimension"));
        requireWidth(json, "dimension", width);
        return new SentenceModule.LayerNorm(weights(index), width);
    }

    private static void requireWidth(JsonFile json, String field, int width) throws FormatException {
        if (json.integer(field, 1) != width) {
            throw json.wrong(field, "the " + width + " components of the module before");
        }
    }

    /** The settings of a module. */
    public JsonFile config(int index) throws IOException {
        return JsonFile.read(file(index, "config.json"));
    }

    /** The file of a module's weights. */
    public Path weights(int index) throws IOException {
        if (!Files.exists(folder(index).resolve("model.safetensors"))
                && Files.exists(folder(index).resolve(PICKLE))) {
            throw new FormatException(folder(index).resolve(PICKLE), -1, types.get(index), "a Python pickle, which is"
                    + " not read; expected the module's weights in model.safetensors");
        }
        return file(index, "model.safetensors");
    }

    private Path file(int index, String name) throws IOException {
        Path file = folder(index).resolve(name);
        if (!Files.exists(file)) {
            String path = modules.get(index).string("path", "");
            throw new NoSuchFileException(file.toString(), null,
                    "no " + (path.isEmpty() ? "" : Excerpt.of(path) + "/") + name + ", which " + MODULES + " names");
        }
        return file;
    }

    private Path folder(int index) throws FormatException {
        JsonFile module = modules.get(index);
        try {
            Path folder = root.resolve(module.string("path", "")).normalize();
            if (folder.startsWith(root.normalize())) {
                return folder;
            }
        } catch (InvalidPathException e) {
            // Such as one with a NUL: no folder has that name.
        }
        throw module.wrong("path", "a folder of the model");
    }
}
