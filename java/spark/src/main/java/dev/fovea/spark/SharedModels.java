package dev.fovea.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ConcurrentHashMap;

/** The models of this JVM: each is loaded once, however many tasks ask for it, and stays while the executor does. */
final class SharedModels {
    private static final ConcurrentHashMap<Key, AutoCloseable> MODELS = new ConcurrentHashMap<>();

    private SharedModels() {}

    /** Models of one type that were loaded alike are one. */
    private record Key(Class<?> type, ModelSettings settings) {}

    /** Loads a model of settings. */
    interface Loader<T> {
        T load(ModelSettings settings) throws IOException;
    }

    /**
     * The model of these settings; the first that asks loads it, while the others wait.
     *
     * @throws UncheckedIOException if it cannot be loaded; the next that asks tries again
     */
    static <T extends AutoCloseable> T get(Class<T> type, ModelSettings settings, Loader<T> loader) {
        return type.cast(MODELS.computeIfAbsent(new Key(type, settings), key -> {
            try {
                return loader.load(key.settings());
            } catch (IOException e) {
                throw new UncheckedIOException("the model " + settings.model() + " cannot be loaded on this executor: "
                        + e.getMessage(), e);
            }
        }));
    }

    /** How many there are. */
    static int count() {
        return MODELS.size();
    }
}
