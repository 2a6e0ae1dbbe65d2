package dev.fovea.flink;

import static org.apache.flink.table.types.logical.LogicalTypeRoot.ARRAY;
import static org.apache.flink.table.types.logical.LogicalTypeRoot.FLOAT;
import static org.apache.flink.table.types.logical.LogicalTypeRoot.VARCHAR;

import dev.fovea.model.EncoderInput;
import dev.fovea.model.EncoderQueue;
import dev.fovea.model.Reranker;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** What a model does, told by the schema of {@code CREATE MODEL}. */
enum Task {
    /** {@code INPUT (STRING) OUTPUT (ARRAY<FLOAT>)}: a text's vector. */
    EMBED(1, ARRAY) {
        @Override
        Running load(ModelSettings settings) throws IOException {
            Path path = Path.of(settings.model());
            TextEncoder encoder = Files.exists(path) ? TextEncoder.load(path, settings.options())
                    : TextEncoder.load(settings.model(), settings.options());
            var queue = EncoderQueue.of(encoder, settings.queue());
            return new Queued<>(encoder, queue, row -> encoder.input(text(row, 0)),
                    embedding -> GenericRowData.of(new GenericArrayData(embedding.vector())));
        }
    },
    /** {@code INPUT (STRING, STRING) OUTPUT (FLOAT)}: how well the second, a document, answers the first, a query. */
    RERANK(2, FLOAT) {
        @Override
        Running load(ModelSettings settings) throws IOException {
            Reranker reranker = Reranker.load(Path.of(settings.model()), settings.options());
            var queue = EncoderQueue.of(reranker, settings.queue());
            return new Queued<>(reranker, queue, row -> reranker.input(text(row, 0), text(row, 1)), GenericRowData::of);
        }
    },
    /** {@code INPUT (STRING) OUTPUT (STRING, FLOAT)}: the best label and its score. */
    CLASSIFY(1, VARCHAR, FLOAT) {
        @Override
        Running load(ModelSettings settings) throws IOException {
            TextClassifier classifier = TextClassifier.load(Path.of(settings.model()), settings.options());
            var queue = EncoderQueue.of(classifier, settings.queue());
            return new Queued<>(classifier, queue, row -> classifier.input(text(row, 0)), labels -> GenericRowData.of(
                    StringData.fromString(labels.getFirst().name()), labels.getFirst().score()));
        }
    };

    private final int texts;
    private final List<LogicalTypeRoot> outputs;

    Task(int texts, LogicalTypeRoot... outputs) {
        this.texts = texts;
        this.outputs = List.of(outputs);
    }

    /** A loaded model. */
    interface Running extends AutoCloseable {
        /** What a row becomes: one row of the outputs, or why there is none. */
        CompletableFuture<RowData> predict(RowData texts);

        @Override
        void close();
    }

    /** Loads the model where a task runs. */
    abstract Running load(ModelSettings settings) throws IOException;

    /** Columns of the output. */
    int columns() {
        return outputs.size();
    }

    /** Columns of the input. */
    int texts() {
        return texts;
    }

    /** @throws ValidationException if no task has this schema */
    static Task of(ResolvedCatalogModel model) {
        List<LogicalType> inputs = types(model.getResolvedInputSchema());
        List<LogicalType> outputs = types(model.getResolvedOutputSchema());
        for (Task task : values()) {
            if (inputs.size() == task.texts && inputs.stream().allMatch(type -> type.is(VARCHAR))
                    && outputs.stream().map(LogicalType::getTypeRoot).toList().equals(task.outputs)
                    && (!outputs.getFirst().is(ARRAY) || outputs.getFirst().getChildren().getFirst().is(FLOAT))) {
                return task;
            }
        }
        throw new ValidationException("expected INPUT (STRING) OUTPUT (ARRAY<FLOAT>) for vectors, INPUT (STRING, STRING) OUTPUT"
                + " (FLOAT) for scores of a query and a document, or INPUT (STRING) OUTPUT (STRING, FLOAT) for labels; got INPUT "
                + shown(inputs) + " OUTPUT " + shown(outputs));
    }

    private static List<LogicalType> types(ResolvedSchema schema) {
        return schema.getColumnDataTypes().stream().map(type -> type.getLogicalType()).toList();
    }

    private static String shown(List<LogicalType> types) {
        return String.join(", ", types.stream().map(LogicalType::asSummaryString).toList()).transform(all -> '(' + all + ')');
    }

    private static String text(RowData row, int column) {
        return row.getString(column).toString();
    }

    private record Queued<R>(AutoCloseable model, EncoderQueue<R> queue, Function<RowData, EncoderInput<R>> reader,
            Function<R, RowData> writer) implements Running {
        @Override
        public CompletableFuture<RowData> predict(RowData texts) {
            return queue.submit(reader.apply(texts)).thenApply(writer);
        }

        @Override
        public void close() {
            queue.close();
            try {
                model.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
