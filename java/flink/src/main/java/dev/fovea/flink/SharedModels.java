package dev.fovea.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;

/** The models of a job in this JVM: each is loaded once, and closed when the last task that uses it ends. */
final class SharedModels {
    private static final Map<ModelSettings, Shared> MODELS = new HashMap<>();

    private SharedModels() {}

    private static final class Shared {
        private final Task.Running model;
        private int users;

        Shared(Task.Running model) {
            this.model = model;
        }
    }

    /** A task's hold on a model. */
    static final class Hold implements AutoCloseable {
        private final ModelSettings settings;
        private final Task.Running model;
        private boolean closed;

        private Hold(ModelSettings settings, Task.Running model) {
            this.settings = settings;
            this.model = model;
        }

        /** One row; of nulls, if a text is null. */
        CompletableFuture<Collection<RowData>> predict(RowData texts) {
            for (int i = 0; i < settings.task().texts(); i++) {
                if (texts.isNullAt(i)) {
                    return CompletableFuture.completedFuture(List.of(new GenericRowData(settings.task().columns())));
                }
            }
            return model.predict(texts).thenApply(List::of);
        }

        @Override
        public void close() {
            synchronized (MODELS) {
                if (closed) {
                    return;
                }
                closed = true;
                Shared shared = MODELS.get(settings);
                shared.users--;
                if (shared.users > 0) {
                    return;
                }
                MODELS.remove(settings);
            }
            model.close();
        }
    }

    /** @throws IOException if the model cannot be loaded here; the message says which */
    static Hold hold(ModelSettings settings) throws IOException {
        synchronized (MODELS) {
            Shared shared = MODELS.get(settings);
            if (shared == null) {
                try {
                    shared = new Shared(settings.task().load(settings));
                } catch (IOException e) {
                    throw new IOException("the model " + settings.model() + " cannot be loaded on this task manager: "
                            + e.getMessage(), e);
                }
                MODELS.put(settings, shared);
            }
            shared.users++;
            return new Hold(settings, shared.model);
        }
    }

    /** How many are loaded. */
    static int count() {
        synchronized (MODELS) {
            return MODELS.size();
        }
    }
}
